/* Opens a file so that nobody else may open it, says so, and keeps it until standard input ends, or for so many milliseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

int wmain(int count, wchar_t **arguments) {
    HANDLE file;
    if (count != 2 && count != 3) return 2;
    file = CreateFileW(arguments[1], GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        printf("error %lu\n", GetLastError());
        return 1;
    }
    puts("held");
    fflush(stdout);
    if (count == 3) Sleep((DWORD)_wtoi(arguments[2]));
    else while (getchar() != EOF) { }
    CloseHandle(file);
    return 0;
}
