import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = path.resolve(process.argv[2] ?? '.');

export const tools = [
  {
    schema: { name: 'list_files', description: 'List the folder', input_schema: { type: 'object' as const, properties: {} } },
    run: async () => (await readdir(ROOT)).slice(0, 500).join('\n'),
  },
  {
    schema: {
      name: 'read_text',
      description: 'Read a text file',
      input_schema: { type: 'object' as const, properties: { name: { type: 'string' } }, required: ['name'] },
    },
    run: async (input: unknown) => {
      const file = path.resolve(ROOT, String((input as { name: string }).name));
      if (path.dirname(file) !== ROOT) return 'not in the folder';
      return (await readFile(file, 'utf8')).slice(0, 8000);
    },
  },
  {
    schema: { name: 'disk_usage', description: 'Size of the folder', input_schema: { type: 'object' as const, properties: {} } },
    run: async () => (await run('du', ['-sh', ROOT])).stdout,
  },
];
