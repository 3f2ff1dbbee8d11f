/**
 * Whom a piece of work is for, as it is handed on in headers.
 * Thread: worker and, through what they import of it, embedding. In → out: tenant ⇄ header.
 */
import { defaultPayloadConverter, type Headers } from 'holdfast/workflow';

const HEADER = 'tenant';

export function tenantIn(headers: Headers): string | undefined {
  const payload = headers[HEADER];
  return payload === undefined ? undefined : defaultPayloadConverter.fromPayload<string>(payload);
}

export function forTenant<I extends { readonly headers: Headers }>(input: I, tenant: string | undefined): I {
  if (tenant === undefined) return input;
  return { ...input, headers: { ...input.headers, [HEADER]: defaultPayloadConverter.toPayload(tenant) } };
}
