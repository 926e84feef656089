// What outlives a page, in IndexedDB: the session, and events that are not delivered yet, in order. Shared by the tabs of a site;
// its transactions keep them apart.

export interface Session {
  id: string;
  /** The next of the 2^20 numbers that are this page's alone. */
  seq: number;
}

export interface Store {
  session: (now: number) => Promise<Session>;
  /** Behind what is there. Rejects where the disk takes nothing; holds even if the page ends now. */
  put: (parts: string[], now: number) => Promise<void>;
  /** Drops what is not newer than `last`, of what it gave before; the oldest of what is left. */
  next: (last: number) => Promise<{ parts: string[]; last: number } | undefined>;
}

/** Some events; keys count on. */
interface Kept {
  k: number;
  e: string;
}

/** The session, and when it was last used: apart, as that is written without a look at what was. */
interface KeptSession {
  k: typeof SESSION;
  id: string;
  pages: number;
}
interface KeptUse {
  k: typeof USE;
  at: number;
}

export const IDLE_MS = 18e5;
const PAGE_SEQS = 2 ** 20;
/** seq has 32 bits. */
const MOST_PAGES = 4095;
/** Parts of events that wait at most; of more the oldest are dropped. */
const MOST_PARTS = 2e3;
const READ_PARTS = 10;
const OPEN_MS = 1e3;
const SESSION = 's';
const USE = 'u';

export function randomId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}

const nameOf = (site: string): string => 'marquee-' + site;

/** Rejects where the browser keeps nothing for this page. */
export async function openStore(site: string): Promise<Store> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(nameOf(site));
    request.onupgradeneeded = () => request.result.createObjectStore('q', { keyPath: 'k', autoIncrement: true });
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

  return {
    session: (now) =>
      run((store, give) => {
        got(store.get(SESSION) as IDBRequest<KeptSession | undefined>, (kept) => {
          got(store.get(USE) as IDBRequest<KeptUse | undefined>, (use) => {
            const isOver = !kept || !use || now - use.at > IDLE_MS || kept.pages >= MOST_PAGES;
            const { id, pages } = isOver ? { id: randomId(), pages: 0 } : kept;
            give({ id, seq: pages * PAGE_SEQS + 1 });
            store.put({ k: SESSION, id, pages: pages + 1 });
            store.put({ k: USE, at: now });
          });
        });
      }),
    put: (parts, now) =>
      run((store) => {
        store.put({ k: USE, at: now });
        for (const e of parts) store.put({ e });
        store.transaction.commit();
      }),
    next: (done) =>
      run((store, give) => {
        got(store.openKeyCursor(numbers, 'prev'), (newest) => {
          store.delete(IDBKeyRange.upperBound(Math.max(done, Number(newest?.key ?? 0) - MOST_PARTS)));
          got(store.getAll(numbers, READ_PARTS) as IDBRequest<Kept[]>, (records) => {
            const last = records.at(-1);
            if (last) give({ parts: records.map(({ e }) => e), last: last.k });
          });
        });
      }),
  };
}

/** Forgets everything, the session too. */
export function deleteStore(site: string): void {
  indexedDB.deleteDatabase(nameOf(site));
}
