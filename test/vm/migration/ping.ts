import { spawn } from 'node:child_process'

export type Pinged = {
  sent: number
  lost: number
  /** The longest time between two answers, above the time between two questions. */
  gapMs: number
}

const intervalMs = 20

/** Pings until it is ended. */
export function startPing(ip: string): { end(): Promise<Pinged> } {
  const child = spawn('ping', ['-n', '-D', '-i', `${intervalMs / 1000}`, ip], { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
  })
  return {
    async end() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGINT')
      await gone
      return summary(said)
    },
  }
}

function summary(said: string): Pinged {
  const answers = [...said.matchAll(/^\[(\d+\.\d+)\].*icmp_seq=(\d+)/gm)].map(([, at]) => Number(at) * 1000)
  const [, sent = '0', received = '0'] = /(\d+) packets transmitted, (\d+) received/.exec(said) ?? []
  const gaps = answers.map((at, index) => at - (answers[index - 1] ?? at))
  return { sent: Number(sent), lost: Number(sent) - Number(received), gapMs: Math.round(Math.max(0, ...gaps) - intervalMs) }
}
