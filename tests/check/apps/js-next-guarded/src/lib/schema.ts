import { pgTable, text, uuid } from 'drizzle-orm/pg-core';

export const contracts = pgTable('contracts', {
  id: uuid('id').primaryKey().defaultRandom(),
  owner: text('owner').notNull(),
  title: text('title'),
  body: text('body').notNull(),
});
