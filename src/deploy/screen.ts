const width = 70

export type Screen = {
  say(text: string): void
  /** `Title            [ DONE ]`, ending at the 70th column as packstack has it. */
  done(title: string): void
  failed(title: string, why: string): void
  /** Says in red why nothing more happens; gives exit code 1. */
  refuse(why: string): number
}

export function screenOn(out: { isTTY?: boolean; write(text: string): unknown }): Screen {
  const colour = (code: number, text: string) => (out.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text)
  const end = (title: string, word: string, code: number) => `${title.padEnd(width - word.length)}${colour(code, word)}\n`
  return {
    say: (text) => void out.write(`${text}\n`),
    done: (title) => void out.write(end(title, '[ DONE ]', 32)),
    failed: (title, why) => void out.write(`${end(title, '[ ERROR ]', 31)}${colour(31, `ERROR : ${why}`)}\n`),
    refuse(why) {
      out.write(`${colour(31, `ERROR : ${why}`)}\n`)
      return 1
    },
  }
}
