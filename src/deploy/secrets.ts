import { randomBytes } from 'node:crypto'

export type Secrets = {
  adminPassword: string
  demoPassword: string
  linkKey: string
  /** Seal users' credentials in the database; the first one seals, the others still open. 32 bytes each, base64url. */
  credentialKeys?: string[]
  /** PEM; an installation of before has none yet. */
  linkCertificate?: string
  linkPrivateKey?: string
}

/** Passwords as packstack draws them: 16 random hexadecimal characters. */
export const drawPassword = (): string => randomBytes(8).toString('hex')

/** 32 bytes, base64url. */
export const drawKey = (): string => randomBytes(32).toString('base64url')

/** The secrets in a file's text; undefined when one is missing, so that a half-made file is made anew. */
export function parseSecrets(text: string | undefined): Secrets | undefined {
  try {
    const secrets = JSON.parse(text ?? '') as Partial<Secrets>
    return secrets.adminPassword && secrets.demoPassword && secrets.linkKey ? (secrets as Secrets) : undefined
  } catch {
    return undefined
  }
}

export const secretsText = (secrets: Secrets): string => `${JSON.stringify(secrets, undefined, 2)}\n`

/** All an agent may know: the key it shows the controller, and the certificate by which it knows the controller. */
export const agentSecretsText = ({ linkKey, linkCertificate }: Pick<Secrets, 'linkKey' | 'linkCertificate'>): string =>
  `${JSON.stringify({ linkKey, linkCertificate }, undefined, 2)}\n`
