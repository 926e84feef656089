import type { Student } from '../data/students';
import type { Place } from './router';

export interface PageProps {
  place: Place;
  who: Student | undefined;
  onWho: (key: string) => void;
}
