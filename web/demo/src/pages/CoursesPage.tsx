import type { PageProps } from '../app/page';
import { hrefOf } from '../app/router';
import { Slot } from '../app/Slot';
import { CATEGORIES, searchCourses } from '../data/courses';
import type { Category } from '../data/courses';
import { CourseCard, SearchForm } from './parts';

function categoryOf(text: string | null): Category | undefined {
  return text !== null && text in CATEGORIES ? (text as Category) : undefined;
}

export function CoursesPage({ place }: PageProps) {
  const query = place.search.get('q')?.trim() ?? '';
  const category = categoryOf(place.search.get('category'));
  const found = searchCourses(query, category);
  const count = found.length;
  // Simulated students know the same two pages.
  const page = query === '' ? 'courses' : 'search';
  return (
    <>
      <section class="page-head">
        <h1 tabIndex={-1}>{query === '' ? 'Courses' : `Courses for “${query}”`}</h1>
        <SearchForm query={query} label="Search courses" />
        <ul class="chips" aria-label="Subjects">
          <li>
            <a class="chip" href={hrefOf('/courses')} aria-current={query === '' && category === undefined ? 'true' : undefined}>
              All
            </a>
          </li>
          {(Object.keys(CATEGORIES) as Category[]).map((one) => (
            <li key={one}>
              <a class="chip" data-tone={one} href={hrefOf(`/courses?category=${one}`)} aria-current={category === one ? 'true' : undefined}>
                {CATEGORIES[one]}
              </a>
            </li>
          ))}
        </ul>
      </section>
      <Slot id={`${page}-top`} position={1} shape="wide" />
      <p class="count" role="status">
        {count === 0 ? 'No course has these words. Try “law”, “python” or “film”.' : count === 1 ? 'One course' : `${count} courses`}
      </p>
      <div class="courses">
        {found.slice(0, 2).map((course) => (
          <CourseCard key={course.id} course={course} />
        ))}
        <Slot id={`${page}-feed`} position={2} shape="feed" />
        {found.slice(2).map((course) => (
          <CourseCard key={course.id} course={course} />
        ))}
      </div>
    </>
  );
}
