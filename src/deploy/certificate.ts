import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Exec } from '../kit/exec/exec.ts'

/** A key and a certificate that nobody signed: agents are told the certificate itself. PEM. */
export async function makeCertificate(exec: Exec): Promise<{ linkCertificate: string; linkPrivateKey: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'altostack-certificate-'))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  try {
    const kind = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '36500',
      '-subj',
      '/CN=altostack',
    ]
    await exec.run(['openssl', 'req', '-x509', ...kind, '-keyout', key, '-out', certificate])
    return { linkPrivateKey: await readFile(key, 'utf8'), linkCertificate: await readFile(certificate, 'utf8') }
  } finally {
    await rm(folder, { recursive: true })
  }
}
