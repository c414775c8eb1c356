import { randomBytes } from 'node:crypto'

export type Secrets = { adminPassword: string; demoPassword: string; linkKey: string }

/** Passwords as packstack draws them: 16 random hexadecimal characters. */
const password = () => randomBytes(8).toString('hex')

export const drawSecrets = (): Secrets => ({
  adminPassword: password(),
  demoPassword: password(),
  linkKey: randomBytes(32).toString('base64url'),
})

/** The secrets in a file's text; undefined when one is missing, so that a half-made file is made anew. */
export function parseSecrets(text: string | undefined): Secrets | undefined {
  try {
    const { adminPassword, demoPassword, linkKey } = JSON.parse(text ?? '') as Partial<Secrets>
    return adminPassword && demoPassword && linkKey ? { adminPassword, demoPassword, linkKey } : undefined
  } catch {
    return undefined
  }
}

export const secretsText = (secrets: Secrets): string => `${JSON.stringify(secrets, undefined, 2)}\n`

/** All an agent may know: the key by which it and the controller know each other. */
export const agentSecretsText = ({ linkKey }: Secrets): string => `${JSON.stringify({ linkKey }, undefined, 2)}\n`
