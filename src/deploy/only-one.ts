import { createServer } from 'node:net'

/** Takes the one place of a packstack at work; the kernel gives it free when this process ends, however it does. */
export const isOnlyOne = (): Promise<boolean> =>
  new Promise((resolve) => {
    const lock = createServer()
    lock.once('error', () => resolve(false))
    // An abstract socket: a name without a file.
    lock.listen('\0altostack-packstack', () => {
      lock.unref()
      resolve(true)
    })
  })
