import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export async function firstPage(file: string): Promise<string> {
  const { stdout } = await promisify(execFile)('pdftotext', ['-l', '1', '--', file, '-']);
  return stdout;
}
