import { useEffect, useState } from 'preact/hooks';
import { onSent } from '../marquee/live';
import type { Sent } from '../marquee/live';
import { learnQuery } from './names';

const KEPT = 8;

export function SentList() {
  const [all, setAll] = useState<readonly (Sent & { number: number })[]>([]);
  useEffect(() => {
    let number = 0;
    return onSent((sent) => {
      if (sent.type === 'search') learnQuery(sent.about);
      const one = { ...sent, number: ++number };
      setAll((before) => [one, ...before].slice(0, KEPT));
    });
  }, []);
  return (
    <section class="block" aria-labelledby="sent">
      <div class="block-head">
        <h2 id="sent">What this page has sent</h2>
      </div>
      <ol class="sent">
        {all.map((one) => (
          <li key={one.number}>
            <code>{one.type}</code>
            <span>{one.about}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
