/** As the user can type it: the scripts of a clone put nothing on the shell's path. */
export function program(): string {
  const script = process.env['npm_lifecycle_event'];
  return script === 'start' || script === 'sealbench' ? 'npm run -s sealbench --' : 'sealbench';
}
