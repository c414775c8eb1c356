import { createSocket } from 'node:dgram'
import { connect, isIP } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Exec } from '../../../kit/exec/exec.ts'

/** Something outside that answered before a card was touched, and has to afterwards. */
export type Proof = { by: 'controller'; host: string; port: number } | { by: 'gateway'; ip: string }

export const proofText = (proof: Proof): string =>
  proof.by === 'controller' ? `the controller ${proof.host}:${proof.port}` : `the gateway ${proof.ip}`

const onceMs = 1000

/** Whether it answers now, from this device. */
export const answersNow = (exec: Exec, proof: Proof, device: string): Promise<boolean> =>
  proof.by === 'controller' ? accepts(proof.host, proof.port) : isNeighbour(exec, proof.ip, device)

/** All of them, within the time. Gives those that did not answer. */
export async function silentAmong(exec: Exec, proofs: readonly Proof[], device: string, withinMs: number): Promise<Proof[]> {
  let left = [...proofs]
  for (const end = Date.now() + withinMs; ; await delay(200)) {
    const answers = await Promise.all(left.map((proof) => answersNow(exec, proof, device)))
    left = left.filter((_, index) => !answers[index])
    if (left.length === 0 || Date.now() > end) return left
  }
}

const accepts = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: onceMs })
    const end = (value: boolean) => {
      socket.destroy()
      resolve(value)
    }
    socket.on('connect', () => end(true))
    socket.on('timeout', () => end(false))
    socket.on('error', () => end(false))
  })

type Neighbour = { lladdr?: string; state?: string[] }

/** Forgets what hardware address the neighbour has and sends it a datagram: the kernel asks anew, and so needs no program that pings. */
async function isNeighbour(exec: Exec, ip: string, device: string): Promise<boolean> {
  const look = async () => {
    const text = await exec.run(['ip', '-j', 'neighbour', 'show', 'to', ip, 'dev', device])
    return (JSON.parse(text || '[]') as Neighbour[])[0]
  }
  if ((await look())?.state?.includes('PERMANENT')) return true
  await exec.attempt(['ip', 'neighbour', 'delete', ip, 'dev', device])
  await knock(ip, device)
  for (const end = Date.now() + onceMs; Date.now() < end; await delay(50)) if ((await look())?.lladdr !== undefined) return true
  return false
}

/** To the port of `discard`. */
const knock = (ip: string, device: string): Promise<void> =>
  new Promise((resolve) => {
    const isSix = isIP(ip) === 6
    const socket = createSocket(isSix ? 'udp6' : 'udp4')
    const end = () => {
      socket.close()
      resolve()
    }
    socket.on('error', end)
    socket.send('', 9, ip.startsWith('fe80:') ? `${ip}%${device}` : ip, end)
  })
