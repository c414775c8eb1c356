import type { OpenstackClient } from '../session.ts'

/** What became of each command: undefined when it did as it was told, else what it said. */
export type Record = Map<string, string | undefined>

/** The client, which remembers what it was told. A command that should fail (`attempt`) does not count as tried. */
export function recorded(client: OpenstackClient, nameOf: (words: string[]) => string, record: Record): OpenstackClient {
  const note = async <T>(command: string | string[], run: () => Promise<T>): Promise<T> => {
    const name = nameOf(typeof command === 'string' ? command.split(' ').filter((word) => word !== '') : command)
    try {
      const result = await run()
      if (!record.has(name)) record.set(name, undefined)
      return result
    } catch (error) {
      record.set(name, (error as Error).message)
      throw error
    }
  }
  return {
    ...client,
    run: (command) => note(command, () => client.run(command)),
    json: (command) => note(command, () => client.json(command)),
  }
}

/** The longest known name the words begin with, options of the client itself left out. */
export const longestName =
  (known: Set<string>) =>
  (words: string[]): string => {
    for (let from = 0; from < words.length; from++)
      for (let to = Math.min(words.length, from + 7); to > from; to--) {
        const name = words.slice(from, to).join(' ')
        if (known.has(name)) return name
      }
    return words.join(' ')
  }
