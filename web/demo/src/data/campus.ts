// What happens on the campus, and how its exams went. Invented.
import type { Category, College } from './courses';

export interface CampusEvent {
  id: string;
  title: string;
  category: Category;
  college: College;
  date: string; // ISO, in the college's own time.
  time: string;
  place: string;
  about: string;
}

export const EVENTS: readonly CampusEvent[] = [
  { id: 'hack-night', title: 'Hack night: software for small farms', category: 'computing', college: 'pune-engineering', date: '2026-12-04', time: '18:00', place: 'Workshop 2', about: 'Teams of four, twelve hours, one problem that a farmers’ cooperative really has.' },
  { id: 'moot-final', title: 'Moot court: the semi-final', category: 'law', college: 'chennai-law', date: '2026-12-05', time: '10:30', place: 'Court Room A', about: 'Two benches, four pairs, one question of free speech. Everybody may sit in.' },
  { id: 'star-party', title: 'Star party on the roof', category: 'science', college: 'mumbai-science', date: '2026-12-09', time: '19:30', place: 'Observatory', about: 'Saturn, if the clouds agree. Bring something warm.' },
  { id: 'placement-fair', title: 'Placement fair 2027', category: 'business', college: 'bengaluru-commerce', date: '2026-12-11', time: '09:00', place: 'Main hall', about: 'Sixty-two employers, mock interviews from eight, a desk for people who do not know yet.' },
  { id: 'blood-drive', title: 'Blood donation drive', category: 'medicine', college: 'hyderabad-medical', date: '2026-12-12', time: '08:00', place: 'Block C', about: 'Forty minutes and a biscuit. Third-years run the desk.' },
  { id: 'print-fair', title: 'Print fair', category: 'design', college: 'delhi-arts', date: '2026-12-15', time: '11:00', place: 'North lawn', about: 'Posters, zines and type from the letterpress room, at student prices.' },
  { id: 'rover-race', title: 'Rover race', category: 'engineering', college: 'kolkata-polytechnic', date: '2026-12-17', time: '14:00', place: 'Yard', about: 'Nine rovers, one rubble track, no remote controls.' },
  { id: 'open-mic', title: 'Open mic: seven languages', category: 'humanities', college: 'delhi-arts', date: '2026-12-18', time: '17:00', place: 'Canteen', about: 'Poems and songs in whatever you dream in. Five minutes each.' },
];

export interface ProgramResult {
  program: string;
  name: string;
  category: Category;
  appeared: number;
  passed: number;
  median: number;
}

export const RESULTS: readonly ProgramResult[] = [
  { program: 'btech-cse', name: 'B.Tech Computer Science', category: 'computing', appeared: 412, passed: 371, median: 72 },
  { program: 'btech-ece', name: 'B.Tech Electronics', category: 'engineering', appeared: 298, passed: 255, median: 67 },
  { program: 'btech-mech', name: 'B.Tech Mechanical', category: 'engineering', appeared: 274, passed: 229, median: 64 },
  { program: 'bsc-physics', name: 'B.Sc Physics', category: 'science', appeared: 186, passed: 161, median: 69 },
  { program: 'bcom', name: 'B.Com', category: 'business', appeared: 521, passed: 466, median: 66 },
  { program: 'ba-english', name: 'B.A. English', category: 'humanities', appeared: 203, passed: 194, median: 74 },
  { program: 'llb', name: 'LL.B.', category: 'law', appeared: 167, passed: 152, median: 73 },
  { program: 'mbbs', name: 'MBBS', category: 'medicine', appeared: 148, passed: 139, median: 70 },
  { program: 'bdes', name: 'B.Des', category: 'design', appeared: 96, passed: 93, median: 78 },
];

export function gradeOf(marks: number): string {
  return marks >= 85 ? 'O' : marks >= 75 ? 'A' : marks >= 65 ? 'B' : marks >= 50 ? 'C' : 'F';
}
