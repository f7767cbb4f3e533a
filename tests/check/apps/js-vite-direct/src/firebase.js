import { initializeApp } from 'firebase/app';
import { getFirestore } from 'firebase/firestore';

// web config, not secret
const app = initializeApp({
  apiKey: '{{key:google:2}}',
  authDomain: 'flashcards-demo.firebaseapp.com',
  projectId: 'flashcards-demo',
});

export const db = getFirestore(app);
