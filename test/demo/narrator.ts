/** Says what the demo does, step by step, on standard output. */
export class Narrator {
  readonly #steps: number;
  readonly #bold: boolean;
  #step = 0;
  #silent = false;

  /** Headlines are bold on a terminal, unless NO_COLOR asks for plain text. */
  constructor(steps: number) {
    this.#steps = steps;
    this.#bold = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  }

  /** From now on it says nothing. */
  silence(): void {
    this.#silent = true;
  }

  /** A numbered headline. */
  step(text: string): void {
    this.#step += 1;
    this.headline(`[${this.#step}/${this.#steps}] ${text}`);
  }

  headline(text: string): void {
    this.#print(this.#bold ? `\n\u001b[1m${text}\u001b[0m` : `\n${text}`);
  }

  /** A command as the reader would type it on a host. */
  command(host: string, text: string): void {
    this.#print(`      ${host}# ${text}`);
  }

  line(text: string): void {
    this.#print(`      ${text}`);
  }

  #print(text: string): void {
    if (!this.#silent) console.log(text);
  }
}
