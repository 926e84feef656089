import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { courseOf, searchCourses } from '../data/courses';
import { studentOf } from '../data/students';
import type { Visit } from '../marquee/demo';
import { keepWho, keptWho } from '../marquee/kept';
import { become, begin, beginAfresh, openPage } from '../marquee/live';
import { CoursePage } from '../pages/CoursePage';
import { CoursesPage } from '../pages/CoursesPage';
import { EventsPage } from '../pages/EventsPage';
import { HomePage } from '../pages/HomePage';
import { NotFoundPage } from '../pages/NotFoundPage';
import { ResultsPage } from '../pages/ResultsPage';
import { Panel } from '../panel/Panel';
import { Foot, Head } from './Chrome';
import { usePlace } from './router';
import { Ready } from './Slot';
import type { Place } from './router';
import type { PageProps } from './page';

interface PageKind {
  Page: (props: PageProps) => preact.JSX.Element;
  id: string; // As simulated students call it.
  title: string;
}

function kindOf(place: Place): PageKind {
  const [, first, second] = place.path.split('/');
  if (place.path === '/') return { Page: HomePage, id: 'home', title: 'Home' };
  if (first === 'courses' && second === undefined) return { Page: CoursesPage, id: place.search.has('q') ? 'search' : 'courses', title: 'Courses' };
  if (first === 'courses' && second !== undefined && courseOf(second) !== undefined) return { Page: CoursePage, id: 'course', title: courseOf(second)?.title ?? '' };
  if (place.path === '/events') return { Page: EventsPage, id: 'events', title: 'Events' };
  if (place.path === '/results') return { Page: ResultsPage, id: 'exams', title: 'Exam results' };
  return { Page: NotFoundPage, id: 'nowhere', title: 'Not found' };
}

export function App() {
  const place = usePlace();
  const [whoKey, setWhoKey] = useState(keptWho);
  const [visit, setVisit] = useState<Visit | undefined>(undefined);
  const [failure, setFailure] = useState('');
  const who = studentOf(whoKey);
  const first = useRef(true);

  const firstWho = useRef(who);
  useEffect(() => {
    begin(firstWho.current).then(setVisit, () => {
      setFailure('Marquee does not answer: start it with `make run`, which turns the demo on.');
    });
  }, []);

  const onWho = useCallback(
    (key: string) => {
      keepWho(key === '' ? null : key);
      setWhoKey(key === '' ? null : key);
      if (visit !== undefined) become(visit, studentOf(key));
    },
    [visit],
  );
  const onAfresh = useCallback(() => {
    void beginAfresh(studentOf(whoKey)).then(setVisit);
  }, [whoKey]);

  const kind = kindOf(place);
  // Another visitor sees the page anew, with other ads.
  const key = `${place.key} ${who?.key ?? ''} ${visit?.visit ?? ''}`;

  // Before the first frame of the page, so that its slots are asked for once.
  useLayoutEffect(() => {
    document.title = `${kind.title} · Banyan Campus`;
    if (visit === undefined) return;
    const course = kind.id === 'course' ? courseOf(place.path.split('/')[2] ?? '') : undefined;
    const query = place.search.get('q')?.trim();
    openPage({
      page_id: kind.id,
      ...(course !== undefined && { course_id: course.id, course_category: course.category }),
      ...(query !== undefined && query !== '' && { query, results_count: searchCourses(query).length }),
    });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key says when the page is another.
  }, [key]);

  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    window.scrollTo(0, 0);
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  }, [place.key]);

  return (
    <div class="frame">
      <div class="portal">
        <Head path={place.path} who={who} onWho={onWho} />
        {failure !== '' && (
          <p class="notice" role="alert">
            {failure}
          </p>
        )}
        <main id="main" key={key}>
          <Ready.Provider value={visit !== undefined}>
            <kind.Page place={place} who={who} onWho={onWho} />
          </Ready.Provider>
        </main>
        <Foot />
      </div>
      <Panel visit={visit} who={who} page={key} onAfresh={onAfresh} />
    </div>
  );
}
