/**
 * Where log lines go: the user's logger, or the console from a level up.
 * Thread: embedding. In → out: level, message and data → one line.
 */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** `meta` is plain data, but for `error`, which is whatever was thrown. `console` fits as it is. */
export interface Logger {
  trace(message: string, meta?: Record<string, unknown>): void;
  debug(message: string, meta?: Record<string, unknown>): void;
  info(message: string, meta?: Record<string, unknown>): void;
  warn(message: string, meta?: Record<string, unknown>): void;
  error(message: string, meta?: Record<string, unknown>): void;
}

export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];

/** The console, from `level` up; nothing at all for 'silent'. */
export function consoleLogger(level: LogLevel | 'silent', to: Logger = console): Logger {
  const first = level === 'silent' ? LOG_LEVELS.length : LOG_LEVELS.indexOf(level);
  return loggerFrom((entryLevel, message, meta) => {
    if (LOG_LEVELS.indexOf(entryLevel) < first) return;
    const line = `${new Date().toISOString()} [${entryLevel.toUpperCase()}] ${message}`;
    if (meta === undefined || Object.keys(meta).length === 0) to[entryLevel](line);
    else to[entryLevel](line, meta);
  });
}

/** A logger that adds `fields` to the data of every line. */
export function withFields(logger: Logger, fields: Record<string, unknown>): Logger {
  return loggerFrom((level, message, meta) => logger[level](message, { ...fields, ...meta }));
}

/** A logger for lines that nobody asked for: that it throws is of no concern to anybody. */
export function quiet(logger: Logger): Logger {
  return loggerFrom((level, message, meta) => {
    try {
      logger[level](message, meta);
    } catch {
      // The line is lost, and what it tells of goes on.
    }
  });
}

export function loggerFrom(
  write: (level: LogLevel, message: string, meta: Record<string, unknown> | undefined) => void,
): Logger {
  return {
    trace: (message, meta) => write('trace', message, meta),
    debug: (message, meta) => write('debug', message, meta),
    info: (message, meta) => write('info', message, meta),
    warn: (message, meta) => write('warn', message, meta),
    error: (message, meta) => write('error', message, meta),
  };
}
