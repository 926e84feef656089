// The ways that sessions take: steps of places, and how many went from each to each.

export interface WayNode {
  readonly step: number;
  /** Undefined: all the places that are not told apart. */
  readonly place: string | undefined;
  readonly sessions: number;
  /** Of them, went nowhere from here; 0 in the last step, where nobody looks further. */
  readonly ended: number;
}

export interface Ways {
  readonly by: string;
  readonly sessions: number;
  readonly nodes: readonly WayNode[];
  /** By places in `nodes`. */
  readonly links: readonly { readonly from: number; readonly to: number; readonly sessions: number }[];
}

/** A row of the table beside the picture. */
export interface Way {
  readonly step: number;
  readonly from: WayNode;
  /** Undefined: the session ended. */
  readonly to: WayNode | undefined;
  readonly sessions: number;
  /** Of the sessions that were at `from`. */
  readonly share: number;
}

/** Every link, and every end of sessions, by step, the most sessions first. */
export function waysOf({ nodes, links }: Ways): readonly Way[] {
  const share = (sessions: number, from: WayNode) => (from.sessions === 0 ? 0 : sessions / from.sessions);
  const moves = links.flatMap(({ from, to, sessions }): readonly Way[] => {
    const [origin, target] = [nodes[from], nodes[to]];
    return origin === undefined || target === undefined ? [] : [{ step: origin.step, from: origin, to: target, sessions, share: share(sessions, origin) }];
  });
  const ends = nodes.filter(({ ended }) => ended > 0).map((node): Way => ({ step: node.step, from: node, to: undefined, sessions: node.ended, share: share(node.ended, node) }));
  return [...moves, ...ends].toSorted((a, b) => a.step - b.step || b.sessions - a.sessions);
}

/** The most trodden way: at each step where most of those before went. It ends where most ended. */
export function mainWay({ nodes, links }: Ways): readonly WayNode[] {
  const way: WayNode[] = [];
  let at = nodes.reduce((best, node, index) => (node.step === 1 && node.place !== undefined && node.sessions > (nodes[best]?.sessions ?? -1) ? index : best), -1);
  while (at >= 0) {
    const node = nodes[at];
    if (node === undefined) break;
    way.push(node);
    const next = links.filter(({ from, to }) => from === at && nodes[to]?.place !== undefined).toSorted((a, b) => b.sessions - a.sessions)[0];
    at = next === undefined || next.sessions < node.ended ? -1 : next.to;
  }
  return way;
}

/** The places of all steps, the most visited first: to begin at one of them. */
export function placesOf({ nodes }: Ways): readonly string[] {
  const sessions = new Map<string, number>();
  for (const node of nodes) if (node.place !== undefined && node.place !== '') sessions.set(node.place, (sessions.get(node.place) ?? 0) + node.sessions);
  return [...sessions].toSorted((a, b) => b[1] - a[1]).map(([place]) => place);
}
