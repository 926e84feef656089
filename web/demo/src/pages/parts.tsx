// Parts that several pages have.
import { useState } from 'preact/hooks';
import { CATEGORIES, COLLEGES } from '../data/courses';
import type { Course } from '../data/courses';
import { dateText } from '../app/format';
import { hrefOf, navigate } from '../app/router';

export function SearchForm({ query, label }: { query: string; label: string }) {
  const [text, setText] = useState(query);
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        navigate(text.trim() === '' ? '/courses' : `/courses?q=${encodeURIComponent(text.trim())}`);
      }}
    >
      <label class="hidden" for="search-text">
        {label}
      </label>
      <input
        id="search-text"
        type="search"
        name="q"
        value={text}
        placeholder={label}
        autocomplete="off"
        onInput={(event) => {
          setText(event.currentTarget.value);
        }}
      />
      <button type="submit" class="button">
        Search
      </button>
    </form>
  );
}

export function CourseCard({ course }: { course: Course }) {
  return (
    <a class="course" href={hrefOf(`/courses/${course.id}`)} data-marquee-course={course.id} data-tone={course.category}>
      <span class="tag">{CATEGORIES[course.category]}</span>
      <span class="course-title">{course.title}</span>
      <span class="course-where">{COLLEGES[course.college]}</span>
      <span class="course-facts">
        <span>{course.weeks} weeks</span>
        <span>{course.credits} credits</span>
        <span>{dateText(course.starts)}</span>
      </span>
    </a>
  );
}
