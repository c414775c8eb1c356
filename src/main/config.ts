import { readFile } from 'node:fs/promises'
import { Type } from 'typebox'
import { openValidators } from '../kit/http/validate.ts'
import type { NetworkSettings } from '../services/network/index.ts'
import { type IdentityConfig, identityConfig } from './identity-settings.ts'
import { type ImageConfig, imageConfig, type StoreKeys } from './image-settings.ts'

/** The configuration file of an installed cloud. `packstack` writes it; there is nothing in it that a user must set. */
export type Config = {
  region: string
  /** Address that clients use. */
  host: string
  /** Address to listen on. */
  bind: string
  stateDir: string
  /** A file, or a postgres URL. */
  database: string
  ports: { identity: number; image: number; compute: number; placement: number; network: number; link: number }
  network: Omit<NetworkSettings, 'physicalMtu'> & { physicalMtu?: number }
  /** Default: everything as it comes. */
  identity?: IdentityConfig
  image?: ImageConfig
  agent: {
    /** Where the controller's link is: `https://host:8781`. */
    controller: string
    name: string
    stateDir: string
    /** Where other hosts reach this one. Default: `tunnelIp`. */
    address?: string
    tunnelIp: string
    bridgeMappings: Record<string, string>
    /** Cards that are part of bridges; what a card had is then the bridge's. */
    uplinks?: { bridge: string; nic: string }[]
    /** The card of the tunnels. Default: the one that has `tunnelIp`. */
    tunnelInterface?: string
    /** auto: KVM where it works, else software emulation. */
    virt: 'auto' | 'kvm' | 'qemu'
    /** Whether routers and DHCP servers may be here. Default: they may. */
    isNetworkHost?: boolean
    /** On a host that is also the way out: this address is put on that bridge. */
    externalBridge?: { bridge: string; address: string }
  }
}

const port = Type.Integer({ minimum: 1, maximum: 65535 })
const range = Type.Tuple([Type.Integer(), Type.Integer()])
const schema = Type.Object({
  region: Type.String(),
  host: Type.String(),
  bind: Type.String(),
  stateDir: Type.String(),
  database: Type.String(),
  ports: Type.Object({ identity: port, image: port, compute: port, placement: port, network: port, link: port }),
  network: Type.Object({
    tenantTypes: Type.Array(Type.String()),
    flat: Type.Array(Type.String()),
    vlanRanges: Type.Array(Type.Object({ physicalNetwork: Type.String(), from: Type.Integer(), to: Type.Integer() })),
    vniRanges: Type.Array(range),
    tunnelIdRanges: Type.Array(range),
    physicalMtu: Type.Optional(Type.Integer({ minimum: 576 })),
  }),
  identity: Type.Optional(identityConfig),
  image: Type.Optional(imageConfig),
  agent: Type.Object({
    controller: Type.String(),
    name: Type.String({ minLength: 1 }),
    stateDir: Type.String(),
    address: Type.Optional(Type.String()),
    tunnelIp: Type.String(),
    bridgeMappings: Type.Record(Type.String(), Type.String()),
    uplinks: Type.Optional(
      Type.Array(Type.Object({ bridge: Type.String({ minLength: 1 }), nic: Type.String({ minLength: 1 }) })),
    ),
    tunnelInterface: Type.Optional(Type.String()),
    virt: Type.String({ enum: ['auto', 'kvm', 'qemu'] }),
    isNetworkHost: Type.Optional(Type.Boolean()),
    externalBridge: Type.Optional(Type.Object({ bridge: Type.String(), address: Type.String() })),
  }),
})

export type Secrets = {
  adminPassword: string
  /** Of an agent: its own, which opens nothing in the name of another host. */
  linkKey: string
  /** 32 bytes each, base64url: seal users' credentials in the database. Without them the keys are rows beside what they seal. */
  credentialKeys?: string[]
  /** PEM. Without them the link is not encrypted. */
  linkCertificate?: string
  linkPrivateKey?: string
  /** Of image stores on S3. */
  imageStores?: StoreKeys
}

/** Throws an error that names the file and what is wrong in it. */
export async function readConfig(path: string): Promise<Config> {
  const config: unknown = JSON.parse(await readFile(path, 'utf8'))
  const issue = openValidators().check(schema, config, 'body')
  if (issue) throw new Error(`${path}: ${issue.at || 'the file'} ${issue.message}`)
  return config as Config
}

export const readSecrets = async (path: string): Promise<Secrets> => JSON.parse(await readFile(path, 'utf8')) as Secrets
