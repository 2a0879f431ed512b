/* A `git.exe` that hands everything on to the git of the system Wine stands on, which Wine cannot wait for: the arguments and the
   input become files of the folder CBGEN_BRIDGE, and a test answers with files. */
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

static wchar_t place[600];

static const wchar_t *at(const wchar_t *name) {
    static wchar_t path[2][700];
    static int turn;
    turn = !turn;
    _snwprintf(path[turn], 700, L"%s\\%s", place, name);
    return path[turn];
}

static void copy(FILE *from, FILE *to) {
    static char piece[1 << 16];
    size_t length;
    if (!from || !to) exit(90);
    while ((length = fread(piece, 1, sizeof piece, from)) > 0) fwrite(piece, 1, length, to);
    fflush(to);
}

int wmain(int count, wchar_t **arguments) {
    FILE *file;
    int index, code = 91;
    wchar_t top[500];
    if (!GetEnvironmentVariableW(L"CBGEN_BRIDGE", top, 500)) return 92;
    /* One folder for each call. */
    _snwprintf(place, 600, L"%s\\%lu", top, GetCurrentProcessId());
    if (!CreateDirectoryW(place, NULL)) return 93;
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    file = _wfopen(at(L"arguments"), L"wb");
    for (index = 1; file && index < count; index++) {
        char text[8192];
        int length = WideCharToMultiByte(CP_UTF8, 0, arguments[index], -1, text, sizeof text, NULL, NULL);
        fwrite(text, 1, (size_t)length, file); /* with its zero */
    }
    if (!file || fclose(file)) return 94;
    file = _wfopen(at(L"input"), L"wb");
    copy(stdin, file);
    if (fclose(file) || !MoveFileW(at(L"input"), at(L"asked"))) return 95;
    while (GetFileAttributesW(at(L"code")) == INVALID_FILE_ATTRIBUTES) Sleep(10);
    copy(_wfopen(at(L"output"), L"rb"), stdout);
    copy(_wfopen(at(L"errors"), L"rb"), stderr);
    file = _wfopen(at(L"code"), L"rb");
    if (!file || fscanf(file, "%d", &code) != 1) return 96;
    return code;
}
