// The package: `import marquee from 'marquee.js'`.
import * as ads from './adsPart';
import { makeMarquee } from './marquee';

export type * from './types';

const marquee = makeMarquee(typeof location === 'undefined' ? '' : location.origin, () => Promise.resolve(ads));
export default marquee;
