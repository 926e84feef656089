// What init() was given. A page has one marquee.js, so this and the state of the other parts are the module's.
import type { Options } from './types';

export let options: Options;
/** Of Marquee. */
export let origin: string;

/** `from`: where the script came from. */
export function configure(given: Options, from: string): void {
  options = given;
  ({ origin } = new URL(given.url ?? from, location.href));
}
