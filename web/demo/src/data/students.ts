// Whom a visitor may be. Nobody of them exists.
import type { Category, College } from './courses';

export interface Student {
  key: string; // Letters a to z: part of the id under which Marquee knows the student.
  name: string;
  age: number;
  college: College;
  program: string;
  programName: string;
  short: string;
  year: number;
  city: string;
  likes: Category;
  results: readonly { subject: string; marks: number }[];
}

export const STUDENTS: readonly Student[] = [
  {
    key: 'asha', name: 'Asha Rao', age: 20, college: 'pune-engineering', program: 'btech-cse', programName: 'B.Tech Computer Science', short: 'B.Tech CSE', year: 3, city: 'Pune', likes: 'computing',
    results: [{ subject: 'Operating systems', marks: 81 }, { subject: 'Linear algebra', marks: 74 }, { subject: 'Data structures', marks: 92 }, { subject: 'Technical writing', marks: 68 }],
  },
  {
    key: 'imran', name: 'Imran Qureshi', age: 22, college: 'chennai-law', program: 'llb', programName: 'LL.B.', short: 'LL.B.', year: 4, city: 'Chennai', likes: 'law',
    results: [{ subject: 'Constitutional law II', marks: 88 }, { subject: 'Evidence', marks: 79 }, { subject: 'Jurisprudence', marks: 71 }, { subject: 'Moot practice', marks: 90 }],
  },
  {
    key: 'meera', name: 'Meera Nair', age: 21, college: 'hyderabad-medical', program: 'mbbs', programName: 'MBBS', short: 'MBBS', year: 3, city: 'Hyderabad', likes: 'medicine',
    results: [{ subject: 'Pathology', marks: 76 }, { subject: 'Pharmacology', marks: 83 }, { subject: 'Microbiology', marks: 69 }, { subject: 'Community medicine', marks: 85 }],
  },
  {
    key: 'dev', name: 'Dev Patel', age: 19, college: 'bengaluru-commerce', program: 'bcom', programName: 'B.Com', short: 'B.Com', year: 2, city: 'Bengaluru', likes: 'business',
    results: [{ subject: 'Financial accounting', marks: 64 }, { subject: 'Business law', marks: 58 }, { subject: 'Microeconomics', marks: 77 }, { subject: 'Statistics', marks: 72 }],
  },
  {
    key: 'tara', name: 'Tara Sen', age: 17, college: 'delhi-arts', program: 'ba-english', programName: 'B.A. English', short: 'B.A. English', year: 1, city: 'Delhi', likes: 'humanities',
    results: [{ subject: 'The novel', marks: 87 }, { subject: 'Prosody', marks: 73 }, { subject: 'Hindi composition', marks: 80 }, { subject: 'Environment', marks: 66 }],
  },
];

export const ADULT_YEARS = 18;

export function studentOf(key: string | null): Student | undefined {
  return STUDENTS.find((student) => student.key === key);
}

export function isMinor(student: Student): boolean {
  return student.age < ADULT_YEARS;
}
