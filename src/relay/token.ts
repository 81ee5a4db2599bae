/**
 * Whether what is given is the token that is held, in a time that depends on their lengths only: all
 * characters are looked at, whichever differ. Cryptography is not imported for that; JavaScript
 * promises no constant time to either way.
 *
 * @param given What follows its first `start` characters is compared.
 */
export function isSameToken(given: string, held: string, start: number = 0): boolean {
  let difference = given.length ^ (start + held.length);
  for (let i = 0; i < held.length; i++) {
    difference |= given.charCodeAt(start + i) ^ held.charCodeAt(i);
  }
  return difference === 0;
}
