import { dateText, dayText, monthText, weekdayText } from '../app/format';
import { Slot } from '../app/Slot';
import { EVENTS } from '../data/campus';
import { COLLEGES } from '../data/courses';

function EventList({ from, to }: { from: number; to: number }) {
  return (
    <ul class="events">
      {EVENTS.slice(from, to).map((event) => (
        <li key={event.id} data-tone={event.category}>
          <span class="date" aria-hidden="true">
            <b>{dayText(event.date)}</b>
            {monthText(event.date)}
          </span>
          <div>
            <h2>{event.title}</h2>
            <p class="event-when">
              <span class="hidden">{dateText(event.date)}, </span>
              {weekdayText(event.date)}, {event.time}. {event.place}, {COLLEGES[event.college]}
            </p>
            <p>{event.about}</p>
          </div>
        </li>
      ))}
    </ul>
  );
}

export function EventsPage() {
  return (
    <>
      <section class="page-head">
        <h1 tabIndex={-1}>Events</h1>
        <p class="lead">Eight evenings and mornings across the network. Everybody with a student card gets in.</p>
      </section>
      <Slot id="events-top" position={1} shape="wide" />
      <EventList from={0} to={3} />
      <Slot id="events-feed" position={2} shape="wide" />
      <EventList from={3} to={EVENTS.length} />
    </>
  );
}
