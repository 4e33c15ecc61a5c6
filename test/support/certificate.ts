import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * A certificate that only its own file vouches for, good for today.
 *
 * @param names as OpenSSL takes them: `DNS:localhost,IP:127.0.0.1`
 */
export async function selfSigned(folder: string, names: string): Promise<Certificate> {
  const base = join(folder, names.replace(/\W+/g, '-'));
  const [certFile, keyFile] = [`${base}.pem`, `${base}-key.pem`];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=taba'],
    ...['-addext', `subjectAltName=${names}`, '-keyout', keyFile, '-out', certFile],
  ]);
  return { certFile, keyFile, cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
}
