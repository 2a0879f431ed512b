@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Restores VHQMWSPATH as it was before apply-registry.cmd
rem Made by cbgen for ONE, bundle overlay 1. Change the inventory, not this file.
rem Exit code 0: every step was done and checked. Anything else: the named step failed and nothing after it ran.
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit console would reach the 32-bit programs and registry; Sysnative is its way to the native ones.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "STEP=check administrator rights"
rem Asks the filter manager, which answers administrators only. Without an answer Windows says whether rights are the reason.
"%SYSTEM%\fltmc.exe" >nul 2>&1
if "%errorlevel%"=="0" goto :elevated
"%SYSTEM%\WindowsPowerShell\v1.0\powershell.exe" -NoProfile -NonInteractive -Command "$me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent()); if ($me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { exit 0 }; exit 3"
if "%errorlevel%"=="0" goto :elevated
if "%errorlevel%"=="3" goto :not_elevated
echo Neither the filter manager nor PowerShell answers, so nobody knows whether this command prompt has the rights of an administrator.
goto :fail
:not_elevated
echo Start the command prompt with Run as administrator, then run this script again.
goto :fail
:elevated

set "STEP=check that this is ONE"
if /i "%COMPUTERNAME%"=="ONE" goto :right_server
echo This script was made for ONE; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=find the saved state"
set "STATE=%ProgramData%\cbgen\overlay\1\registry"
if exist "%STATE%\captured.txt" goto :state_ready
if exist "%STATE%\rolled-back.txt" goto :already_back
echo There is no saved state in %STATE%: this bundle has not changed this server, or what it saved was deleted, so there is nothing to take back.
goto :fail
:already_back
echo It was rolled back before. Nothing to do.
endlocal
exit /b 0
:state_ready

set "REG=%SYSTEM%\reg.exe"
set "STEP=see that the registry answers"
rem A question that fails has the code of a value that is not there; this key is on every server.
"%REG%" query "HKLM\SOFTWARE" /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail

rem First the values that were not there before; the keys stay, others use them too.
if not exist "%STATE%\value-1.absent" goto :keep_1
set "STEP=delete VHQMWSPATH in HKLM\SOFTWARE\WOW6432Node\Virtual Hold"
call :read "HKLM\SOFTWARE\WOW6432Node\Virtual Hold" "VHQMWSPATH"
if "%errorlevel%"=="1" goto :keep_1
if not "%errorlevel%"=="0" goto :fail
"%REG%" delete "HKLM\SOFTWARE\WOW6432Node\Virtual Hold" /v "VHQMWSPATH" /f /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
call :read "HKLM\SOFTWARE\WOW6432Node\Virtual Hold" "VHQMWSPATH"
if not "%errorlevel%"=="1" goto :fail
:keep_1

rem Then the values that were there, one by one: importing the saved keys would also take back the work of others.
if exist "%STATE%\value-1.absent" goto :restored_1
set "STEP=restore VHQMWSPATH in HKLM\SOFTWARE\WOW6432Node\Virtual Hold"
call :parse "%STATE%\value-1.txt"
if not "%errorlevel%"=="0" goto :fail
set "OLD=%LINE%"
"%REG%" add "HKLM\SOFTWARE\WOW6432Node\Virtual Hold" /v "VHQMWSPATH" /t "%TYPE%" /d "%DATA%" /f /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
call :read "HKLM\SOFTWARE\WOW6432Node\Virtual Hold" "VHQMWSPATH"
if not "%errorlevel%"=="0" goto :fail
if not "%LINE%"=="%OLD%" goto :fail
:restored_1

set "STEP=note that this was rolled back"
move /y "%STATE%\captured.txt" "%STATE%\rolled-back.txt" >nul
if not "%errorlevel%"=="0" goto :fail

echo The old values are back.
endlocal
exit /b 0

rem Reads one value: TYPE, DATA, and LINE as reg.exe prints it. Returns 1 when there is no such value.
:read
set "TYPE="
set "DATA="
set "LINE="
"%REG%" query "%~1" /v "%~2" /reg:64 >"%STATE%\now.txt" 2>nul
if not "%errorlevel%"=="0" exit /b %errorlevel%
call :parse "%STATE%\now.txt"
set "CODE=%errorlevel%"
exit /b %CODE%

rem The last line of the answer is the value; the line before it names the key.
:parse
rem A quote in the data could not be handed over safely, so it stops the work before anything changes.
"%SYSTEM%\find.exe" """" "%~1" >nul
if "%errorlevel%"=="0" goto :quote
if not "%errorlevel%"=="1" exit /b 4
for /f "usebackq delims=" %%A in ("%~1") do set "LINE=%%A"
for /f "usebackq tokens=2,*" %%A in ("%~1") do set "TYPE=%%A"
for /f "usebackq tokens=2,*" %%A in ("%~1") do set "DATA=%%B"
if not defined TYPE exit /b 3
exit /b 0
:quote
echo The stored value holds a quote. Note it, delete it by hand, then run this script again.
exit /b 2


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. The saved keys lie in the cbgen folder of ProgramData; correct the cause and run this script again.
endlocal
exit /b 1



