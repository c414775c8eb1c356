/** What a crash test throws in place of a dying process: nothing may catch it and go on. */
export class Killed extends Error {
  constructor(after: string) {
    super(`killed after ${after}`)
    this.name = 'Killed'
  }
}
