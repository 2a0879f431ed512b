/* Stands in for every Windows program a script starts: hands its arguments to the test and does what the test answers.
   The test reads NUMBER.req, writes NUMBER.out and NUMBER.res; the answer is an exit code, or "native" for Wine's own program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static const char *own_name(char *path) {
    char *slash = strrchr(path, '\\');
    char *name = slash ? slash + 1 : path;
    char *dot = strrchr(name, '.');
    if (dot) *dot = 0;
    return name;
}

int main(int argc, char **argv) {
    char self[MAX_PATH], request[MAX_PATH], other[MAX_PATH], answer[32] = "";
    const char *spool = getenv("CBGEN_TEST_SPOOL");
    if (!spool) return 99;
    GetModuleFileNameA(NULL, self, sizeof self);
    const char *name = own_name(self);

    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    snprintf(request, sizeof request, "%s\\%lu-%lld", spool, GetCurrentProcessId(), now.QuadPart);
    snprintf(other, sizeof other, "%s.tmp", request);
    FILE *file = fopen(other, "wb");
    if (!file) return 98;
    fprintf(file, "%s", name);
    for (int i = 1; i < argc; i++) fprintf(file, "\n%s", argv[i]);
    fclose(file);
    char final[MAX_PATH];
    snprintf(final, sizeof final, "%s.req", request);
    /* Wine may report a failure when the test is quicker than its last look at the file; a real one ends in a time-out. */
    MoveFileA(other, final);

    snprintf(other, sizeof other, "%s.res", request);
    while (!(file = fopen(other, "rb"))) Sleep(2);
    size_t length = fread(answer, 1, sizeof answer - 1, file);
    answer[length] = 0;
    fclose(file);

    if (!strcmp(answer, "native")) {
        char native[MAX_PATH];
        STARTUPINFOA start = {.cb = sizeof start};
        PROCESS_INFORMATION process;
        DWORD code = 96;
        snprintf(native, sizeof native, "C:\\windows\\system32\\%s.exe", name);
        if (!CreateProcessA(native, GetCommandLineA(), NULL, NULL, TRUE, 0, NULL, NULL, &start, &process)) return 95;
        WaitForSingleObject(process.hProcess, INFINITE);
        GetExitCodeProcess(process.hProcess, &code);
        return (int)code;
    }
    snprintf(other, sizeof other, "%s.out", request);
    if ((file = fopen(other, "rb"))) {
        char buffer[4096];
        while ((length = fread(buffer, 1, sizeof buffer, file)) > 0) fwrite(buffer, 1, length, stdout);
        fclose(file);
    }
    snprintf(other, sizeof other, "%s.err", request);
    if ((file = fopen(other, "rb"))) {
        char buffer[4096];
        while ((length = fread(buffer, 1, sizeof buffer, file)) > 0) fwrite(buffer, 1, length, stderr);
        fclose(file);
    }
    return atoi(answer);
}
