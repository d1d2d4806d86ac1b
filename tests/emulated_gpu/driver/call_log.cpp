#include "call_log.h"
#include "settings.h"
#include <cstdarg>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace gpu {

void log_line(const char* format, ...) {
    static const int file =
        settings().log.empty() ? -1 : open(settings().log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) return;
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    length = length < int(sizeof line) - 1 ? length : int(sizeof line) - 2;
    line[length++] = '\n';
    // In one piece, so that lines of several threads do not mix, and at once, so that a process that is killed leaves
    // them all.
    if (write(file, line, size_t(length)) != length) _exit(2);
}

}  // namespace gpu
