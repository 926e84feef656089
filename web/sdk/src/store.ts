// What outlives a page, in IndexedDB: the session, and events that are not delivered yet, in order. Shared by the tabs of a site;
// its transactions keep them apart.

export interface Session {
  id: string;
  /** The next of the 2^20 numbers that are this page's alone. */
  seq: number;
}

export interface Store {
  session: (now: number) => Promise<Session>;
  /** Behind what is there; the oldest go where there are too many. Rejects where the disk takes nothing. */
  put: (parts: string[], now: number) => Promise<void>;
  /** Drops what is not newer than `last`, of what it gave before; the oldest of what is left. */
  next: (last: number) => Promise<{ parts: string[]; last: number } | undefined>;
}

/** Some events. A key is how many characters there were up to its record, so keys tell how much waits. */
interface Kept {
  k: number;
  e: string;
}

/** The session. */
interface KeptSession {
  k: typeof SESSION;
  id: string;
  pages: number;
  at: number;
}

export const IDLE_MS = 18e5;
const PAGE_SEQS = 2 ** 20;
/** seq has 32 bits. */
const MOST_PAGES = 4095;
/** Characters that wait at most, some 20,000 events; of more the oldest are dropped. */
const MOST_KEPT = 8e6;
const READ_RECORDS = 10;
const OPEN_MS = 1e3;
const SESSION = 's';

export function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}

const nameOf = (site: string): string => 'marquee-' + site;

/** Rejects where the browser keeps nothing for this page. */
export async function openStore(site: string): Promise<Store> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(nameOf(site));
    request.onupgradeneeded = () => request.result.createObjectStore('q', { keyPath: 'k' });
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = reject;
    // Some browsers neither open it nor say so.
    setTimeout(reject, OPEN_MS);
  });
  // So that it can be deleted.
  db.onversionchange = () => {
    db.close();
  };
  const numbers = IDBKeyRange.upperBound(Infinity);

  /** Resolves with what `body` last gave to `give`, after the transaction is complete. */
  const run = <T>(body: (store: IDBObjectStore, give: (value: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      let result: T;
      const transaction = db.transaction('q', 'readwrite');
      transaction.oncomplete = () => {
        resolve(result);
      };
      transaction.onabort = reject;
      body(transaction.objectStore('q'), (value) => (result = value));
    });

  const got = <T>(request: IDBRequest<T>, then: (result: T) => void): void => {
    request.onsuccess = () => {
      then(request.result);
    };
  };
  const withSession = (store: IDBObjectStore, then: (kept: KeptSession | undefined) => void): void => {
    got(store.get(SESSION) as IDBRequest<KeptSession | undefined>, then);
  };

  return {
    session: (now) =>
      run((store, give) => {
        withSession(store, (kept) => {
          const session =
            !kept || now - kept.at > IDLE_MS || kept.pages >= MOST_PAGES ? { k: SESSION, id: randomId(), pages: 0, at: now } : kept;
          give({ id: session.id, seq: session.pages++ * PAGE_SEQS + 1 });
          session.at = now;
          store.put(session);
        });
      }),
    put: (parts, now) =>
      run((store) => {
        got(store.openKeyCursor(numbers, 'prev'), (cursor) => {
          let k = Number(cursor?.key ?? 0);
          for (const e of parts) store.put({ k: (k += e.length), e });
          store.delete(IDBKeyRange.upperBound(k - MOST_KEPT));
        });
        withSession(store, (kept) => {
          if (kept) store.put({ ...kept, at: now });
        });
      }),
    next: (done) =>
      run((store, give) => {
        store.delete(IDBKeyRange.upperBound(done));
        got(store.getAll(numbers, READ_RECORDS) as IDBRequest<Kept[]>, (records) => {
          const last = records.at(-1);
          if (last) give({ parts: records.map(({ e }) => e), last: last.k });
        });
      }),
  };
}

/** Forgets everything, the session too. */
export function deleteStore(site: string): void {
  indexedDB.deleteDatabase(nameOf(site));
}
