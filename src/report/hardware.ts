/**
 * Hardware on which keys could be guessed, as declared figures: what a core does is measured, what
 * the rest does is taken from the sources that each row names.
 *
 * A guess of `escrow-partial` is one try of ChaCha20-Poly1305 (RFC 8439). It is taken for one call of
 * the SHA-256 compression function, for which there are public figures: counted in operations on 32
 * bits, a block of ChaCha20 has about 1,000 and the tag over some 300 bytes about 1,700, against about
 * 2,200 of a compression (FIPS 180-4 section 6.2); who judges by the text in place of the tag needs
 * the 1,000 alone.
 *
 * @module
 */

export interface Hardware {
  /** Over its columns. */
  readonly name: string;
  /** `measured`: one over what a guess costs in the run. */
  readonly guessesPerSecond: number | 'measured';
  readonly watts: number;
  /** US dollars. */
  readonly dollarsPerHour: number;
  /** Of the declaration: year and month. */
  readonly date: string;
  readonly source: string;
  readonly assumption: string;
}

/** From the slowest to the fastest. */
export const HARDWARE: readonly Hardware[] = [
  {
    name: 'one core, Node.js',
    guessesPerSecond: 'measured',
    watts: 5,
    dollarsPerHour: 0.04,
    date: '2026-11',
    source:
      'guesses measured in this run; power and price from memory of data sheets and price lists, unverified',
    assumption:
      '5 W for a hardware thread with its share of the machine, 0.04 dollars to rent one for an hour',
  },
  {
    name: 'one graphics card',
    guessesPerSecond: 21_975.5e6,
    watts: 450,
    dollarsPerHour: 0.4,
    date: '2022-10',
    source:
      'hashcat 6.2.6 on a GeForce RTX 4090, mode 1400 (SHA2-256), gist of Chick3nman, as others cite it; not read again and not measured here; power and price from memory, unverified',
    assumption:
      'a guess costs what a SHA-256 does; the board draws its 450 W, and rents for 0.40 dollars an hour',
  },
  {
    name: 'one ASIC machine',
    guessesPerSecond: 4e14,
    watts: 3_500,
    dollarsPerHour: 0.46,
    date: '2024-03',
    source:
      'Antminer S21 as its maker states it, 200 TH/s at 17.5 J/TH, reported by BTCWire on HackerNoon, 2024-03-11; prices from memory, unverified',
    assumption:
      'a chip for this cipher would reach, per guess, what those chips reach per SHA-256, of which a TH has two each; none is known to be made, and what designing it costs is left out; 0.10 dollars per kWh, and 3,000 dollars written off in three years',
  },
];
