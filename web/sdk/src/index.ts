// The package: `import marquee from 'marquee.js'`.
import * as ads from './adsPart';
import { makeMarquee } from './marquee';
import type { Marquee } from './types.js';

// With its ending, as packages need it of types.
export type * from './types.js';

const marquee: Marquee = makeMarquee(typeof location === 'undefined' ? '' : location.origin, () => Promise.resolve(ads));
export default marquee;
