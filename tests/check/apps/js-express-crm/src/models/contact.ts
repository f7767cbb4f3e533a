import { Schema, model } from 'mongoose';

const contactSchema = new Schema({ name: String, email: { type: String, index: true }, notes: [String] });

export const Contact = model('Contact', contactSchema);
