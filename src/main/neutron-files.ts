import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { dirname, join } from 'node:path'
import { explainError } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import { type Overlay, overlaid, readOverlay } from './neutron-ini.ts'

export type NeutronFilesOptions = {
  /** Default /etc/neutron/plugins. */
  folder?: string | undefined
  /** Where is kept what was last good. */
  stateFile: string
  /** Whether this process goes by what files say of this host; else of the whole cloud. */
  isAgent: boolean
  log: Log
  hasAddress?: (ip: string) => boolean
}

export type NeutronFiles = {
  /** What the files say, one above the other; of one that is broken, what it said last when it was not. */
  overlay(): Overlay
  /** Everything that is wrong in them or decides nothing, with file and line. */
  complaints(): string[]
  /** Only what is broken. */
  problems(): string[]
  /** Reads them again. Tells whether they say something else now. */
  reload(): Promise<boolean>
  /** Calls back when they say something else. Gives the way to stop. */
  watch(changed: () => void): () => void
}

/** Files of neutron's plugins and agents, old and new; a later one stands above. */
const names = ['openvswitch/ovs_neutron_plugin.ini', 'ml2/ml2_conf.ini', 'ml2/openvswitch_agent.ini']
const pollMs = 1000

type Good = Record<string, Overlay>
type Said = { text: string; isBroken: boolean }

/** They need not be there; who writes them, while we run or not, is gone by at once. */
export async function openNeutronFiles(options: NeutronFilesOptions): Promise<NeutronFiles> {
  const { folder = '/etc/neutron/plugins', stateFile, isAgent, log, hasAddress = isAddressHere } = options
  const paths = names.map((name) => join(folder, name))
  let good: Good = readGood(stateFile)
  let said: Said[] = []

  const read = (path: string, before: Overlay | undefined): { overlay: Overlay | undefined; said: Said[] } => {
    const text = readText(path)
    if (text === undefined) return { overlay: undefined, said: [] }
    if (text instanceof Error) return { overlay: before, said: [{ text: `${path}: ${text.message}`, isBroken: true }] }
    // An address of some host is none of the controller's business.
    const isRight = isAgent ? hasAddress : () => true
    const { overlay, complaints } = readOverlay(text, { isOld: path.includes('ovs_neutron_plugin'), hasAddress: isRight })
    const all = complaints.map(({ line, what, isBroken }) => ({ text: `${path}:${line}: ${what}`, isBroken }))
    if (!all.some(({ isBroken }) => isBroken)) return { overlay, said: all }
    return { overlay: before, said: [...all, { text: `${path} is broken: what it said before stays`, isBroken: true }] }
  }

  const tell = (all: readonly Said[]) => {
    const known = new Set(said.map(({ text }) => text))
    for (const { text, isBroken } of all) if (!known.has(text)) log[isBroken ? 'error' : 'warn']({}, text)
  }

  const reload = async (): Promise<boolean> => {
    const before = JSON.stringify(overlaid(valuesOf(good, paths)))
    const found = paths.map((path) => [path, read(path, good[path])] as const)
    const all = found.flatMap(([, one]) => one.said)
    tell(all)
    said = all
    good = Object.fromEntries(found.flatMap(([path, { overlay }]) => (overlay ? [[path, overlay]] : [])))
    await keepGood(stateFile, good).catch((error) => log.warn({ error: explainError(error) }, 'what the files said was not kept'))
    return JSON.stringify(overlaid(valuesOf(good, paths))) !== before
  }

  await reload()
  return {
    overlay: () => overlaid(valuesOf(good, paths)),
    complaints: () => said.map(({ text }) => text),
    problems: () => said.filter(({ isBroken }) => isBroken).map(({ text }) => text),
    reload,
    watch(changed) {
      const look = () => void reload().then((isOther) => isOther && changed())
      // Not fs.watch: their folders come and go, and editors put a new file in the place of the old one.
      for (const path of paths) watchFile(path, { interval: pollMs, persistent: false }, look)
      return () => {
        for (const path of paths) unwatchFile(path, look)
      }
    },
  }
}

const valuesOf = (good: Good, paths: readonly string[]): Overlay[] => paths.flatMap((path) => good[path] ?? [])

/** Undefined: it is not there. An error: it cannot be read. */
function readText(path: string): string | Error | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : (error as Error)
  }
}

const readGood = (file: string): Good => {
  const text = readText(file)
  return typeof text === 'string' ? (JSON.parse(text) as Good) : {}
}

async function keepGood(file: string, good: Good): Promise<void> {
  const text = JSON.stringify(good)
  if (readText(file) === text || (text === '{}' && readText(file) === undefined)) return
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}

const isAddressHere = (ip: string): boolean =>
  Object.values(networkInterfaces()).some((all = []) => all.some(({ address }) => address === ip))
