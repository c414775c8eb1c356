import { cloudDn, passwords, suffix } from './slapd.ts'

export const people = `ou=people,${suffix}`
export const teams = `ou=teams,${suffix}`
/** More than slapd gives at once. */
export const crowd = 1500

const entry = (dn: string, attributes: Record<string, string | string[]>): string => {
  const lines = Object.entries(attributes).flatMap(([name, value]) =>
    [value]
      .flat()
      .map((one) =>
        /^[\x20-\x7e]*$/.test(one) && !/^[ :<]/.test(one)
          ? `${name}: ${one}`
          : `${name}:: ${Buffer.from(one).toString('base64')}`,
      ),
  )
  return `dn:: ${Buffer.from(dn).toString('base64')}\n${lines.join('\n')}\n`
}

const person = (rdn: string, uid: string, more: Record<string, string> = {}) =>
  entry(`${rdn},${people}`, {
    objectClass: ['inetOrgPerson'],
    cn: uid,
    uid,
    sn: uid,
    mail: `${uid}@corp.example`,
    userPassword: `${uid}-pw`,
    ...more,
  })

const team = (cn: string, members: string[]) =>
  entry(`cn=${cn},${teams}`, { objectClass: 'groupOfNames', cn, description: `the ${cn}`, member: members })

export const oddUid = 'ze (admin), *\\é'
export const oddDn = `cn=ze \\28admin\\29\\2c *\\5cé,${people}`

export const ldif = (): string =>
  [
    entry(suffix, { objectClass: ['dcObject', 'organization'], dc: 'corp', o: 'corp' }),
    entry(cloudDn, { objectClass: ['organizationalRole', 'simpleSecurityObject'], cn: 'cloud', userPassword: passwords.cloud }),
    entry(people, { objectClass: 'organizationalUnit', ou: 'people' }),
    entry(teams, { objectClass: 'organizationalUnit', ou: 'teams' }),
    entry(`ou=crowd,${suffix}`, { objectClass: 'organizationalUnit', ou: 'crowd' }),
    person('uid=ann', 'ann'),
    person('uid=bob', 'bob'),
    person('uid=off', 'off', { employeeType: 'FALSE' }),
    person('cn=ze \\28admin\\29\\2c *\\5cé', oddUid, { cn: oddUid }),
    entry(`ou=elsewhere,${people}`, {
      objectClass: ['referral', 'extensibleObject'],
      ou: 'elsewhere',
      ref: 'ldap://127.0.0.1:1/dc=other',
    }),
    team('devs', [`uid=ann,${people}`]),
    team('ops', [`UID=Ann, ${people}`, `uid=bob,${people}`, oddDn, `uid=nobody,${people}`]),
    ...Array.from({ length: crowd }, (_, at) =>
      entry(`uid=c${at},ou=crowd,${suffix}`, { objectClass: 'inetOrgPerson', cn: `c${at}`, sn: 'crowd', uid: `c${at}` }),
    ),
  ].join('\n')
