import { useState } from 'preact/hooks';
import { countText, dateText } from '../app/format';
import type { PageProps } from '../app/page';
import { hrefOf } from '../app/router';
import { Slot } from '../app/Slot';
import { CATEGORIES, COLLEGES, COURSES, courseOf } from '../data/courses';
import { convert } from '../marquee/live';
import { CourseCard } from './parts';

export function CoursePage({ place }: PageProps) {
  const course = courseOf(place.path.split('/')[2] ?? '');
  const [isIn, setIsIn] = useState(false);
  if (course === undefined) return <p>There is no such course.</p>;
  const near = COURSES.filter((one) => one.category === course.category && one.id !== course.id);
  return (
    <>
      <section class="page-head course-head" data-tone={course.category}>
        <p class="tag">
          <a href={hrefOf(`/courses?category=${course.category}`)}>{CATEGORIES[course.category]}</a>
        </p>
        <h1 tabIndex={-1}>{course.title}</h1>
        <p class="lead">{course.summary}</p>
      </section>
      <Slot id="course-top" position={1} shape="wide" />
      <div class="two">
        <section aria-labelledby="learn">
          <h2 id="learn">What you will be able to do</h2>
          <ul class="ticks">
            {course.learn.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
          <dl class="facts">
            <dt>Taught at</dt>
            <dd>{COLLEGES[course.college]}</dd>
            <dt>Level</dt>
            <dd>{course.level}</dd>
            <dt>Length</dt>
            <dd>
              {course.weeks} weeks, {course.credits} credits
            </dd>
            <dt>Starts</dt>
            <dd>{dateText(course.starts)}</dd>
            <dt>Seats</dt>
            <dd>{countText(course.seats)}</dd>
          </dl>
          <button
            type="button"
            class="button"
            disabled={isIn}
            onClick={() => {
              setIsIn(true);
              convert({ course_id: course.id, value: course.credits });
            }}
          >
            {isIn ? 'You are on the list' : 'Put me on the list'}
          </button>
        </section>
        <Slot id="course-side" position={2} shape="side" />
      </div>
      <section aria-labelledby="near">
        <h2 id="near">More in {CATEGORIES[course.category].toLowerCase()}</h2>
        <div class="courses">
          {near.map((one) => (
            <CourseCard key={one.id} course={one} />
          ))}
        </div>
      </section>
    </>
  );
}
