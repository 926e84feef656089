// What Marquee knows of the student, asked again and again while the page is looked at.
import { useEffect, useState } from 'preact/hooks';
import { isMinor } from '../data/students';
import type { Student } from '../data/students';
import { askProfile } from '../marquee/demo';
import type { Profile, Visit } from '../marquee/demo';
import { isSignalled, userIdOf } from '../marquee/live';
import { names } from './names';

const EVERY_MS = 400;

/** undefined: not asked yet. `onRefused`: the visit is none of this Marquee's, as after its data were removed. */
export function useProfile(visit: Visit | undefined, who: Student | undefined, onRefused: () => void): Profile | undefined {
  const [profile, setProfile] = useState<Profile | undefined>(undefined);
  useEffect(() => {
    setProfile(undefined);
    if (visit === undefined) return;
    if (who === undefined || isMinor(who) || isSignalled()) {
      setProfile({ personal: false });
      return;
    }
    const user = userIdOf(visit, who) ?? '';
    let last = '';
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        if (document.visibilityState === 'visible') {
          const next = await askProfile(user, 'full', who.age, names());
          const text = JSON.stringify(next);
          if (!isOver && text !== last) setProfile(next);
          last = text;
        }
      } catch (error) {
        if (error instanceof Error && error.message.endsWith('403')) {
          onRefused();
          return;
        }
      }
      if (!isOver) timer = setTimeout(() => void ask(), EVERY_MS);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [visit, who, onRefused]);
  return profile;
}
