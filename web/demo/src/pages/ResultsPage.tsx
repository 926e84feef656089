import { chanceText, countText } from '../app/format';
import type { PageProps } from '../app/page';
import { Slot } from '../app/Slot';
import { RESULTS, gradeOf } from '../data/campus';
import type { Student } from '../data/students';

function OwnResults({ who }: { who: Student }) {
  return (
    <section aria-labelledby="own">
      <h2 id="own">Your marks</h2>
      <table class="table">
        <caption class="hidden">Marks of {who.name}</caption>
        <thead>
          <tr>
            <th scope="col">Paper</th>
            <th scope="col" class="number">
              Marks
            </th>
            <th scope="col" class="number">
              Grade
            </th>
          </tr>
        </thead>
        <tbody>
          {who.results.map((one) => (
            <tr key={one.subject}>
              <th scope="row">{one.subject}</th>
              <td class="number">{one.marks}</td>
              <td class="number">
                <b>{gradeOf(one.marks)}</b>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function ResultsPage({ who }: PageProps) {
  return (
    <>
      <section class="page-head">
        <h1 tabIndex={-1}>Exam results, November 2026</h1>
        <p class="lead">{who === undefined ? 'Be somebody to see your own marks.' : `${who.name}, ${who.programName}, year ${who.year}.`}</p>
      </section>
      <Slot id="exams-top" position={1} shape="wide" />
      {who !== undefined && <OwnResults who={who} />}
      <div class="two">
        <section aria-labelledby="all">
          <h2 id="all">By programme</h2>
          <table class="table">
            <caption class="hidden">Results by programme</caption>
            <thead>
              <tr>
                <th scope="col">Programme</th>
                <th scope="col" class="number">
                  Sat
                </th>
                <th scope="col" class="number">
                  Passed
                </th>
                <th scope="col" class="number">
                  Median
                </th>
              </tr>
            </thead>
            <tbody>
              {RESULTS.map((one) => (
                <tr key={one.program} aria-current={one.program === who?.program ? 'true' : undefined}>
                  <th scope="row">{one.name}</th>
                  <td class="number">{countText(one.appeared)}</td>
                  <td class="number">{chanceText(one.passed / one.appeared)}</td>
                  <td class="number">{one.median}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <Slot id="exams-feed" position={2} shape="side" />
      </div>
    </>
  );
}
