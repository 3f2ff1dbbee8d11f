/**
 * Payload converters of the user's: found in the module that the runtime's option names.
 * Thread: embedding (loaded as any module), workers (from the bundle). In → out: exports → converter.
 */
import { InvalidOptionError } from '../runtime/errors.js';
import { type CustomPayloadConverter, isConverter } from './converter-scope.js';
import { exportNamed, loadExport } from './loaded-module.js';

/** @throws InvalidOptionError if the module does not load, or exports no converter */
export async function loadPayloadConverter(url: string): Promise<CustomPayloadConverter> {
  return checked(url, await loadExport('payloadConverter', url));
}

/** @throws InvalidOptionError if the module exports no converter */
export function converterOf(module: string, exports: unknown): CustomPayloadConverter {
  return checked(module, exportNamed('payloadConverter', exports));
}

function checked(module: string, converter: unknown): CustomPayloadConverter {
  if (isConverter(converter)) return converter;
  const reason = `${module}: it must export payloadConverter with the methods toPayload and fromPayload`;
  throw new InvalidOptionError({ option: 'payloadConverter', reason });
}
