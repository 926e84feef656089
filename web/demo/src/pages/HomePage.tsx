import { initials } from '../app/Chrome';
import { monthText, dayText } from '../app/format';
import type { PageProps } from '../app/page';
import { hrefOf } from '../app/router';
import { Slot } from '../app/Slot';
import { EVENTS } from '../data/campus';
import { CATEGORIES, COLLEGES, COURSES } from '../data/courses';
import type { Category } from '../data/courses';
import { STUDENTS, isMinor } from '../data/students';
import { CourseCard, SearchForm } from './parts';

const FEATURED = ['course-2', 'course-17', 'course-27', 'course-22', 'course-5', 'course-13'];

function greeting(name: string | undefined): string {
  return name === undefined ? 'One campus, seven colleges' : `Good to see you, ${name.split(' ')[0] ?? name}`;
}

export function HomePage({ who, onWho }: PageProps) {
  const courses = COURSES.filter((course) => FEATURED.includes(course.id));
  return (
    <>
      <section class="hero">
        <h1 tabIndex={-1}>{greeting(who?.name)}</h1>
        <p>
          {who === undefined
            ? 'Thirty-two courses, open to every student of the network. Choose somebody to be, look around, and watch the panel: it shows what Marquee learns, and why you see the ads that you see.'
            : `${who.programName}, year ${who.year}, ${COLLEGES[who.college]}.`}
        </p>
        <SearchForm query="" label="Search courses: law, python, film ..." />
      </section>
      <section aria-labelledby="be">
        <h2 id="be" class="small-head">
          Be somebody
        </h2>
        <ul class="people">
          {STUDENTS.map((student) => (
            <li key={student.key}>
              <button
                type="button"
                class="person"
                data-tone={student.likes}
                aria-pressed={who?.key === student.key}
                onClick={() => {
                  onWho(student.key);
                }}
              >
                <span class="face" aria-hidden="true">
                  {initials(student.name)}
                </span>
                <span class="person-name">{student.name}</span>
                <span class="person-about">{isMinor(student) ? `${student.age}, under age` : student.short}</span>
              </button>
            </li>
          ))}
          <li>
            <button
              type="button"
              class="person"
              aria-pressed={who === undefined}
              onClick={() => {
                onWho('');
              }}
            >
              <span class="face" aria-hidden="true">
                ?
              </span>
              <span class="person-name">Nobody known</span>
              <span class="person-about">Not signed in</span>
            </button>
          </li>
        </ul>
      </section>
      <Slot id="home-top" position={1} shape="wide" />
      <section aria-labelledby="open">
        <h2 id="open">Open for enrolment</h2>
        <div class="courses">
          {courses.slice(0, 3).map((course) => (
            <CourseCard key={course.id} course={course} />
          ))}
          <Slot id="home-feed" position={2} shape="feed" />
          {courses.slice(3, 5).map((course) => (
            <CourseCard key={course.id} course={course} />
          ))}
        </div>
      </section>
      <div class="two">
        <section aria-labelledby="subjects">
          <h2 id="subjects">By subject</h2>
          <ul class="chips">
            {(Object.keys(CATEGORIES) as Category[]).map((category) => (
              <li key={category}>
                <a class="chip" data-tone={category} href={hrefOf(`/courses?category=${category}`)}>
                  {CATEGORIES[category]}
                </a>
              </li>
            ))}
          </ul>
          <h2>This month</h2>
          <ul class="dates">
            {EVENTS.slice(0, 4).map((event) => (
              <li key={event.id}>
                <a href={hrefOf('/events')}>
                  <span class="date" aria-hidden="true">
                    <b>{dayText(event.date)}</b>
                    {monthText(event.date)}
                  </span>
                  <span>
                    {event.title}
                    <small>
                      {event.time}, {event.place}
                    </small>
                  </span>
                </a>
              </li>
            ))}
          </ul>
        </section>
        <Slot id="home-side" position={3} shape="side" />
      </div>
    </>
  );
}
