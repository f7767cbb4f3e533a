import express from 'express';
import helmet from 'helmet';
import mongoose from 'mongoose';
import { config } from './config';
import { authenticate } from './middleware/authenticate';
import { errorHandler } from './middleware/error-handler';
import contacts from './routes/contacts.routes';
import emails from './routes/emails.routes';
import files from './routes/files.routes';
import insights from './routes/insights.routes';

const app = express();
app.use(helmet());
app.use(express.json({ limit: '100kb' }));

app.use('/contacts', authenticate, contacts);
app.use('/emails', authenticate, emails);
app.use('/files', authenticate, files);
app.use('/insights', insights);
app.use(errorHandler);

mongoose.connect(config.mongoUrl).then(() => app.listen(config.port));
