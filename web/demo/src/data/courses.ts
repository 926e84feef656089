// The catalogue of Banyan Campus. All of it is invented. Ids are those that simulated students use, so that reports of the site hold
// both.
export const CATEGORIES = {
  computing: 'Computing',
  engineering: 'Engineering',
  science: 'Science',
  business: 'Business',
  law: 'Law',
  medicine: 'Medicine',
  design: 'Design',
  humanities: 'Humanities',
} as const;
export type Category = keyof typeof CATEGORIES;

export const COLLEGES = {
  'pune-engineering': 'Sahyadri College of Engineering, Pune',
  'delhi-arts': 'Yamuna College of Arts, Delhi',
  'mumbai-science': 'Colaba College of Science, Mumbai',
  'bengaluru-commerce': 'Cubbon College of Commerce, Bengaluru',
  'chennai-law': 'Marina School of Law, Chennai',
  'hyderabad-medical': 'Charminar Medical College, Hyderabad',
  'kolkata-polytechnic': 'Hooghly Polytechnic, Kolkata',
} as const;
export type College = keyof typeof COLLEGES;

export interface Course {
  id: string;
  title: string;
  category: Category;
  college: College;
  weeks: number;
  credits: number;
  level: 'Beginner' | 'Intermediate' | 'Advanced';
  starts: string; // ISO date.
  seats: number;
  summary: string;
  learn: readonly [string, string, string];
  words: string; // What else it is found by.
}

export const COURSES: readonly Course[] = [
  {
    id: 'course-1', title: 'Data structures that last', category: 'computing', college: 'pune-engineering', weeks: 12, credits: 4, level: 'Intermediate', starts: '2027-01-11', seats: 90,
    summary: 'Lists, trees, hash tables and graphs, built from nothing and measured on real text, so that you know which one to reach for and what it costs.',
    learn: ['Choose a structure by what is asked of it', 'Read and write complexity without fear', 'Measure before you optimise'], words: 'algorithms programming notes coding',
  },
  {
    id: 'course-2', title: 'Machine learning by hand', category: 'computing', college: 'mumbai-science', weeks: 14, credits: 4, level: 'Advanced', starts: '2027-01-18', seats: 60,
    summary: 'Regression, trees and small neural networks written out line by line, then checked against a library. Half theory, half honest evaluation.',
    learn: ['Derive gradients you can trust', 'Split data so that it cannot lie', 'Say how sure a model is'], words: 'ai data science statistics python models',
  },
  {
    id: 'course-3', title: 'Python for every desk', category: 'computing', college: 'kolkata-polytechnic', weeks: 8, credits: 2, level: 'Beginner', starts: '2026-12-07', seats: 240,
    summary: 'A first programming course for people who will never call themselves programmers: files, tables, charts, and the courage to automate a dull afternoon.',
    learn: ['Clean a spreadsheet with ten lines', 'Draw a chart that answers a question', 'Ask the right thing of an error message'], words: 'programming coding automation course',
  },
  {
    id: 'course-4', title: 'Clouds, queues and failure', category: 'computing', college: 'pune-engineering', weeks: 10, credits: 3, level: 'Advanced', starts: '2027-02-01', seats: 75,
    summary: 'Distributed systems from the side of what breaks. You will build a queue, cut its cable, and account for every message afterwards.',
    learn: ['Reason about retries and order', 'Design for the day a machine dies', 'Read a trace at three in the morning'], words: 'cloud distributed systems devops operating',
  },
  {
    id: 'course-5', title: 'Robots that feel their way', category: 'engineering', college: 'pune-engineering', weeks: 12, credits: 4, level: 'Intermediate', starts: '2027-01-11', seats: 48,
    summary: 'Sensors, motors and control loops on a small rover. By the last week it crosses a cluttered room on its own, or explains why not.',
    learn: ['Close a control loop', 'Fuse two sensors that disagree', 'Build and mend a rover'], words: 'robotics club mechatronics',
  },
  {
    id: 'course-6', title: 'Embedded systems lab', category: 'engineering', college: 'kolkata-polytechnic', weeks: 12, credits: 4, level: 'Intermediate', starts: '2027-01-18', seats: 56,
    summary: 'From a blinking light to a field sensor that lives a month on one cell: interrupts, buses, power budgets and the oscilloscope.',
    learn: ['Write drivers that do not block', 'Count microamperes', 'Debug with a scope'], words: 'electronics vlsi signals systems',
  },
  {
    id: 'course-7', title: 'Fluid mechanics in the kitchen', category: 'engineering', college: 'pune-engineering', weeks: 10, credits: 3, level: 'Beginner', starts: '2027-02-08', seats: 80,
    summary: 'Pressure, flow and turbulence, met in taps, kettles and pipes before they are met in equations.',
    learn: ['See the boundary layer', 'Size a pump', 'Estimate before you simulate'], words: 'thermodynamics mechanical',
  },
  {
    id: 'course-8', title: 'Electric vehicles, end to end', category: 'engineering', college: 'kolkata-polytechnic', weeks: 14, credits: 4, level: 'Advanced', starts: '2027-01-25', seats: 40,
    summary: 'Cells, inverters, motors and the grid they lean on. Teams convert a rickshaw and drive it round the yard.',
    learn: ['Model a battery pack', 'Tune a motor drive', 'Plan charging for a fleet'], words: 'auto automobile battery mechanical',
  },
  {
    id: 'course-9', title: 'Quantum mechanics without awe', category: 'science', college: 'mumbai-science', weeks: 14, credits: 4, level: 'Advanced', starts: '2027-01-11', seats: 50,
    summary: 'Two-state systems first, wave functions second, philosophy last. Every week ends at the bench with single photons.',
    learn: ['Work in a small Hilbert space', 'Run the experiment yourself', 'Tell mystery from mathematics'], words: 'physics research',
  },
  {
    id: 'course-10', title: 'The night sky, measured', category: 'science', college: 'mumbai-science', weeks: 8, credits: 2, level: 'Beginner', starts: '2026-12-14', seats: 120,
    summary: 'Practical astronomy with the campus telescope: find a variable star, follow it for a month, publish the light curve.',
    learn: ['Find your way among constellations', 'Take and calibrate images', 'Fit a light curve'], words: 'astronomy telescope stars physics',
  },
  {
    id: 'course-11', title: 'Organic chemistry as a map', category: 'science', college: 'mumbai-science', weeks: 12, credits: 4, level: 'Intermediate', starts: '2027-01-18', seats: 70,
    summary: 'Reactions as roads between families of molecules. You learn the map, not the phone book.',
    learn: ['Push electrons with reason', 'Plan a synthesis backwards', 'Read a spectrum'], words: 'chemistry lab research',
  },
  {
    id: 'course-12', title: 'Statistics for sceptics', category: 'science', college: 'delhi-arts', weeks: 10, credits: 3, level: 'Beginner', starts: '2027-01-11', seats: 150,
    summary: 'Intervals, experiments and the many ways a percentage can mislead, from newspapers and clinical trials.',
    learn: ['Read an interval, not a point', 'Design a fair test', 'Spot the missing denominator'], words: 'probability data linear algebra mathematics',
  },
  {
    id: 'course-13', title: 'Accounting in plain numbers', category: 'business', college: 'bengaluru-commerce', weeks: 10, credits: 3, level: 'Beginner', starts: '2027-01-11', seats: 180,
    summary: 'Double entry from the first rupee of a tea stall to the annual report of a listed company.',
    learn: ['Keep a ledger that balances', 'Read three statements together', 'Find what a report hides'], words: 'accounting basics ca commerce finance',
  },
  {
    id: 'course-14', title: 'Banking, from deposit to default', category: 'business', college: 'bengaluru-commerce', weeks: 12, credits: 4, level: 'Intermediate', starts: '2027-01-18', seats: 110,
    summary: 'How banks make money, lose it, and are rescued. Built round six cases and one simulated run on a bank.',
    learn: ['Price a loan', 'Stress a balance sheet', 'Explain a rate rise'], words: 'finance economics microeconomics',
  },
  {
    id: 'course-15', title: 'Founding something small', category: 'business', college: 'bengaluru-commerce', weeks: 8, credits: 2, level: 'Beginner', starts: '2027-02-01', seats: 64,
    summary: 'A workshop for first ventures: talk to thirty customers, sell one thing, write down what you learned.',
    learn: ['Interview without selling', 'Count the cost of a customer', 'Stop in time'], words: 'startup entrepreneurship marketing case study',
  },
  {
    id: 'course-16', title: 'The case method', category: 'business', college: 'bengaluru-commerce', weeks: 12, credits: 4, level: 'Advanced', starts: '2027-01-25', seats: 72,
    summary: 'Twenty-four decisions that real managers had to make, argued in class with the clock running. Counts towards the MBA.',
    learn: ['Frame a decision', 'Argue with numbers', 'Change your mind in public'], words: 'mba management marketing strategy',
  },
  {
    id: 'course-17', title: 'Constitutional law, case by case', category: 'law', college: 'chennai-law', weeks: 14, credits: 4, level: 'Intermediate', starts: '2027-01-11', seats: 90,
    summary: 'Rights, powers and their limits through forty judgments, from the text of the constitution outwards.',
    learn: ['Brief a judgment in a page', 'Trace a doctrine through time', 'Argue both sides'], words: 'constitution lawyer judge rights',
  },
  {
    id: 'course-18', title: 'Moot court practice', category: 'law', college: 'chennai-law', weeks: 8, credits: 2, level: 'Intermediate', starts: '2026-12-07', seats: 32,
    summary: 'Memorials, oral rounds and a bench that interrupts. The best pair travels to the national moot.',
    learn: ['Write a memorial', 'Answer the bench', 'Concede well'], words: 'moot court advocacy lawyer judiciary',
  },
  {
    id: 'course-19', title: 'Company law at work', category: 'law', college: 'chennai-law', weeks: 12, credits: 4, level: 'Advanced', starts: '2027-01-18', seats: 60,
    summary: 'Directors, shareholders, mergers and their undoing, with the documents that real firms sign.',
    learn: ['Draft a resolution', 'Read a merger deed', 'Advise a board'], words: 'corporate law contracts business lawyer',
  },
  {
    id: 'course-20', title: 'Towards the bench', category: 'law', college: 'chennai-law', weeks: 16, credits: 4, level: 'Advanced', starts: '2027-02-01', seats: 45,
    summary: 'Preparation for the judicial service: procedure, evidence, judgment writing, and a month in a district court.',
    learn: ['Weigh evidence', 'Write a reasoned order', 'Run a hearing'], words: 'judiciary judge exam procedure',
  },
  {
    id: 'course-21', title: 'Anatomy with a pencil', category: 'medicine', college: 'hyderabad-medical', weeks: 14, credits: 4, level: 'Beginner', starts: '2027-01-11', seats: 100,
    summary: 'Draw the body to know it: bones, muscles, vessels and nerves, in the dissection hall and on paper.',
    learn: ['Name what you see', 'Draw what you cannot', 'Relate form to function'], words: 'anatomy atlas mbbs doctor',
  },
  {
    id: 'course-22', title: 'Nursing: the first hour', category: 'medicine', college: 'hyderabad-medical', weeks: 12, credits: 4, level: 'Intermediate', starts: '2027-01-18', seats: 84,
    summary: 'Triage, vital signs, talk with families, and the calm that has to be practised before it is there.',
    learn: ['Triage by colour', 'Hand over in a minute', 'Keep a chart'], words: 'nursing care hospital emergency',
  },
  {
    id: 'course-23', title: 'Public health in numbers', category: 'medicine', college: 'hyderabad-medical', weeks: 10, credits: 3, level: 'Intermediate', starts: '2027-02-08', seats: 95,
    summary: 'Outbreaks, screening and vaccines as an epidemiologist sees them: rates, risks and hard choices.',
    learn: ['Estimate a reproduction number', 'Judge a screening test', 'Plan a campaign'], words: 'epidemiology statistics doctor medicine',
  },
  {
    id: 'course-24', title: 'Pharmacology that sticks', category: 'medicine', college: 'hyderabad-medical', weeks: 14, credits: 4, level: 'Advanced', starts: '2027-01-25', seats: 66,
    summary: 'Sixty drugs that cover most of a ward, learned by mechanism and by patient instead of by list.',
    learn: ['Predict an interaction', 'Dose by weight and kidney', 'Stop what is not needed'], words: 'drugs pharmacy mbbs doctor',
  },
  {
    id: 'course-25', title: 'Type, grid and ink', category: 'design', college: 'delhi-arts', weeks: 10, credits: 3, level: 'Beginner', starts: '2026-12-14', seats: 48,
    summary: 'Letterforms and layout in the letterpress room, in Latin and Devanagari side by side.',
    learn: ['Set a page by hand', 'Pair two scripts', 'Print an edition'], words: 'typography graphic portfolio',
  },
  {
    id: 'course-26', title: 'A portfolio in ten pieces', category: 'design', college: 'delhi-arts', weeks: 12, credits: 4, level: 'Intermediate', starts: '2027-01-11', seats: 40,
    summary: 'Choose, remake and explain ten pieces of your work until they get you into the room that you want.',
    learn: ['Edit without mercy', 'Write captions that help', 'Present in five minutes'], words: 'design portfolio internships',
  },
  {
    id: 'course-27', title: 'Short film, start to screening', category: 'design', college: 'delhi-arts', weeks: 14, credits: 4, level: 'Intermediate', starts: '2027-01-18', seats: 36,
    summary: 'Write, shoot, cut and screen six minutes. Crews of four, one borrowed camera, a hall full of strangers at the end.',
    learn: ['Plan a shoot', 'Cut to a rhythm', 'Take a note'], words: 'film video cinema camera',
  },
  {
    id: 'course-28', title: 'Interfaces people forgive', category: 'design', college: 'pune-engineering', weeks: 10, credits: 3, level: 'Beginner', starts: '2027-02-01', seats: 72,
    summary: 'Designing screens for tired people: flows, words, errors, access, and tests with five users a week.',
    learn: ['Prototype on paper', 'Write an error that helps', 'Test with strangers'], words: 'ux ui product usability',
  },
  {
    id: 'course-29', title: 'Reporting from the district', category: 'humanities', college: 'delhi-arts', weeks: 12, credits: 4, level: 'Intermediate', starts: '2027-01-11', seats: 50,
    summary: 'A newsroom of students covers one district for a term: courts, schools, water. Published every Friday.',
    learn: ['Find a source', 'Check it twice', 'File on time'], words: 'journalism writing news media',
  },
  {
    id: 'course-30', title: 'The essay, slowly', category: 'humanities', college: 'delhi-arts', weeks: 8, credits: 2, level: 'Beginner', starts: '2026-12-07', seats: 44,
    summary: 'Read twelve essays, write four, and rewrite each of them twice. English first, your own language welcome.',
    learn: ['Begin late, end early', 'Cut a third', 'Read aloud'], words: 'english essay writing literature',
  },
  {
    id: 'course-31', title: 'Teaching practice', category: 'humanities', college: 'kolkata-polytechnic', weeks: 14, credits: 4, level: 'Intermediate', starts: '2027-01-18', seats: 58,
    summary: 'Two mornings a week in a school near you, one evening a week taking that morning apart together.',
    learn: ['Plan a lesson backwards', 'Ask a better question', 'Mark what matters'], words: 'teaching education school bed',
  },
  {
    id: 'course-32', title: 'Economics of everyday life', category: 'humanities', college: 'bengaluru-commerce', weeks: 10, credits: 3, level: 'Beginner', starts: '2027-01-25', seats: 130,
    summary: 'Rent, rice, queues and dowries as an economist sees them, and where that view ends.',
    learn: ['Think at the margin', 'Find the hidden price', 'Doubt a model'], words: 'microeconomics economics',
  },
];

export function courseOf(id: string): Course | undefined {
  return COURSES.find((course) => course.id === id);
}

/** Of the text a reader sees, the words of a query: lower case, letters and digits. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Courses that have every word of the query (or begin with it), those that have it in their title first. */
export function searchCourses(query: string, category?: Category): Course[] {
  const wanted = wordsOf(query);
  const found: { course: Course; inTitle: number }[] = [];
  for (const course of COURSES) {
    if (category !== undefined && course.category !== category) continue;
    const title = wordsOf(course.title);
    const all = [...title, ...wordsOf(`${course.words} ${course.category} ${course.summary} ${COLLEGES[course.college]}`)];
    if (!wanted.every((word) => all.some((one) => one.startsWith(word)))) continue;
    found.push({ course, inTitle: wanted.filter((word) => title.some((one) => one.startsWith(word))).length });
  }
  return found.sort((a, b) => b.inTitle - a.inTitle).map((one) => one.course);
}
