// What the palette finds: every word of what is typed must begin a word of an item, those that begin it first.

export interface Findable {
  readonly name: string;
  readonly group: string;
}

function plain(text: string): string {
  return text.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
}

function rank(name: string, wanted: readonly string[]): number | undefined {
  const text = plain(name);
  const words = text.split(/[^\p{L}\p{N}]+/u);
  let sum = 0;
  for (const one of wanted) {
    if (text.startsWith(one)) continue;
    if (words.some((word) => word.startsWith(one))) sum += 1;
    else if (text.includes(one)) sum += 3;
    else return undefined;
  }
  return sum;
}

/** The order of items is kept among those that fit alike; a word may also be one of the item's group. */
export function find<Item extends Findable>(items: readonly Item[], typed: string, most = 50): readonly Item[] {
  const wanted = plain(typed).split(/\s+/).filter((word) => word !== '');
  const found = items.flatMap((item) => {
    const found = rank(item.name, wanted) ?? rank(`${item.name} ${item.group}`, wanted);
    return found === undefined ? [] : [{ item, found }];
  });
  return found.toSorted((a, b) => a.found - b.found).slice(0, most).map(({ item }) => item);
}
