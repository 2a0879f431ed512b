@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Checks that this bundle is complete and unchanged, with nothing but what every Windows has.
rem Exit code: 0 complete and unchanged; 1 changed, missing or extra files; 2 the check could not be done.
rem If Windows refuses to run it because it came from another computer, unblock the zip before unpacking:
rem Properties, General, Unblock; or Unblock-File in PowerShell.
set "CERTUTIL=%SystemRoot%\System32\certutil.exe"
set "FINDSTR=%SystemRoot%\System32\findstr.exe"
set "WORK=%TEMP%\cbgen-verify-%RANDOM%-%RANDOM%"
set "EMPTY=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
set "RESULT=0"
set "CHECKED="
set "LISTED="
rem unchecked: the next line finds out, also when pushd had to map a network folder to a drive
pushd "%~dp0."
if not exist "verify.cmd" goto :NOFOLDER
if not exist "%CERTUTIL%" goto :NOTOOLS
if not exist "%FINDSTR%" goto :NOTOOLS
if not exist "SHA256SUMS" goto :NOLIST
rem unchecked: the next line finds out
mkdir "%WORK%"
if not exist "%WORK%" goto :NOTEMP

rem Names that leave the folder or that this script cannot pass on safely.
"%FINDSTR%" /l /c:".." "SHA256SUMS" >nul
if "%errorlevel%"=="0" goto :UNSAFE
if not "%errorlevel%"=="1" goto :NOLIST
"%FINDSTR%" /l /c:"  /" "SHA256SUMS" >nul
if "%errorlevel%"=="0" goto :UNSAFE
if not "%errorlevel%"=="1" goto :NOLIST
"%FINDSTR%" /r /c:"[%%&;:|<>*?=,\\]" "SHA256SUMS" >nul
if "%errorlevel%"=="0" goto :UNSAFE
if not "%errorlevel%"=="1" goto :NOLIST

rem The list itself and a signature over it are not in the list.
>"%WORK%\own.txt" echo SHA256SUMS
>>"%WORK%\own.txt" echo SHA256SUMS.sig
for /f "usebackq" %%A in ("%WORK%\own.txt") do call :KNOWN "%%~fA"
for /f "usebackq tokens=1,*" %%A in ("SHA256SUMS") do call :CHECK "%%A" "%%B" "%%~fB" "%%~zB"
if not defined CHECKED goto :NOLIST
for /f "delims=" %%A in ('dir /b /s /a-d') do call :EXTRA "%%~fA"
if not defined LISTED goto :NOTEMP
if "%RESULT%"=="2" goto :INCOMPLETE
if "%RESULT%"=="1" goto :DIFFERENT
rem The digest of the list stands for every file and for the manifest.
set "HASH="
"%CERTUTIL%" -hashfile "SHA256SUMS" SHA256 >"%WORK%\hash.txt"
if not "%errorlevel%"=="0" goto :NOSEAL
for /f "usebackq skip=1 tokens=1-25,*" %%A in ("%WORK%\hash.txt") do call :JOIN "%%A%%B%%C%%D%%E%%F%%G%%H%%I%%J%%K%%L%%M%%N%%O%%P%%Q%%R%%S%%T%%U%%V%%W%%X%%Y" "%%Z"
if not defined HASH goto :NOSEAL
echo The bundle is complete and unchanged.
echo Seal of the bundle, compare its first twelve digits with the review:
echo %HASH%
goto :END

:KNOWN
set "FULL=%~1"
>>"%WORK%\known.txt" echo "%FULL%"
exit /b 0

:CHECK
set "CHECKED=1"
set "WANTED=%~1"
set "NAME=%~2"
set "FULL=%~3"
set "SIZE=%~4"
set "HASH="
>>"%WORK%\known.txt" echo "%FULL%"
if not exist "%NAME%" goto :MISSING
rem certutil refuses empty files.
if "%SIZE%"=="0" set "HASH=%EMPTY%"
if "%SIZE%"=="0" goto :COMPARE
"%CERTUTIL%" -hashfile "%NAME%" SHA256 >"%WORK%\hash.txt"
if not "%errorlevel%"=="0" goto :UNREADABLE
rem Up to Windows Server 2012 R2 the second line has a blank after every two digits: join the words.
for /f "usebackq skip=1 tokens=1-25,*" %%A in ("%WORK%\hash.txt") do call :JOIN "%%A%%B%%C%%D%%E%%F%%G%%H%%I%%J%%K%%L%%M%%N%%O%%P%%Q%%R%%S%%T%%U%%V%%W%%X%%Y" "%%Z"
if not defined HASH goto :UNREADABLE
:COMPARE
if /i "%HASH%"=="%WANTED%" exit /b 0
echo changed  "%NAME%"
if "%RESULT%"=="0" set "RESULT=1"
exit /b 0

:MISSING
echo missing  "%NAME%"
if "%RESULT%"=="0" set "RESULT=1"
exit /b 0

:UNREADABLE
echo cannot be read  "%NAME%"
set "RESULT=2"
exit /b 0

:JOIN
if defined HASH exit /b 0
set "HASH=%~1"
set "REST=%~2"
if not defined REST exit /b 0
echo %REST% >"%WORK%\rest.txt"
for /f "usebackq tokens=1-7" %%A in ("%WORK%\rest.txt") do set "HASH=%HASH%%%A%%B%%C%%D%%E%%F%%G"
exit /b 0

:EXTRA
set "LISTED=1"
set "FULL=%~1"
>"%WORK%\one.txt" echo "%FULL%"
"%FINDSTR%" /i /x /l /g:"%WORK%\one.txt" "%WORK%\known.txt" >nul
if "%errorlevel%"=="0" exit /b 0
if not "%errorlevel%"=="1" goto :UNREADABLE_LIST
echo extra  "%FULL%"
if "%RESULT%"=="0" set "RESULT=1"
exit /b 0

:UNREADABLE_LIST
echo cannot be compared  "%FULL%"
set "RESULT=2"
exit /b 0

:DIFFERENT
echo The bundle is NOT what was built. Do not apply it; get the zip again.
goto :END

:INCOMPLETE
echo The check could not be completed.
goto :END

:UNSAFE
echo SHA256SUMS names a file this script must not touch. Use verify.ps1 or cbgen verify.
set "RESULT=2"
goto :END

:NOSEAL
echo SHA256SUMS cannot be read.
set "RESULT=2"
goto :END

:NOLIST
echo SHA256SUMS is missing or empty: unpack the whole zip and run verify.cmd in its folder.
set "RESULT=2"
goto :END

:NOTOOLS
echo certutil.exe or findstr.exe is missing below %SystemRoot%.
set "RESULT=2"
goto :END

:NOTEMP
echo The folder for temporary files cannot be used: %TEMP%
set "RESULT=2"
goto :END

:NOFOLDER
echo The folder of this script cannot be opened.
exit /b 2

:END
rem unchecked: a leftover in the temporary folder harms nobody
if exist "%WORK%" rmdir /s /q "%WORK%" || goto :LEAVE
:LEAVE
rem unchecked: the script ends here
popd
exit /b %RESULT%
