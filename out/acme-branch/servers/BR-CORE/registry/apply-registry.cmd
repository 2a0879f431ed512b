@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Imports VHQMWSPATH, with the old value saved first
rem Made by cbgen for BR-CORE, bundle acme-branch 2026.12.2. Change the inventory, not this file.
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

set "STEP=check that this is BR-CORE"
if /i "%COMPUTERNAME%"=="BR-CORE" goto :right_server
echo This script was made for BR-CORE; this is %COMPUTERNAME%. Use the folder of this server.
goto :fail
:right_server

set "STEP=create the folder for saved state"
set "STATE=%ProgramData%\cbgen\acme-branch\2026.12.2\registry"
if exist "%STATE%\." goto :state_ready
mkdir "%STATE%"
if not "%errorlevel%"=="0" goto :fail
:state_ready

set "REG=%SYSTEM%\reg.exe"
set "STEP=see that the registry answers"
rem A question that fails has the code of a value that is not there; this key is on every server.
"%REG%" query "HKLM\SOFTWARE" /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
set "STEP=find vhqmwspath.reg"
if exist "%~dp0vhqmwspath.reg" goto :found_1
echo vhqmwspath.reg must lie beside this script. Unpack the bundle again.
goto :fail
:found_1

rem The first run saves what was there before; a later run must not save its own values over it.
if exist "%STATE%\captured.txt" goto :captured

set "STEP=save the old value of VHQMWSPATH in HKLM\SOFTWARE\WOW6432Node\Virtual Hold"
rem unchecked: files of an earlier run, if any; what counts is asked next
del /q "%STATE%\value-1.*" >nul 2>&1
if exist "%STATE%\value-1.absent" goto :fail
call :read "HKLM\SOFTWARE\WOW6432Node\Virtual Hold" "VHQMWSPATH"
if "%errorlevel%"=="0" goto :present_1
if not "%errorlevel%"=="1" goto :fail
echo absent>"%STATE%\value-1.absent"
if not exist "%STATE%\value-1.absent" goto :fail
goto :saved_1
:present_1
copy /y "%STATE%\now.txt" "%STATE%\value-1.txt" >nul
if not "%errorlevel%"=="0" goto :fail
rem The whole key as well, for a repair by hand.
"%REG%" export "HKLM\SOFTWARE\WOW6432Node\Virtual Hold" "%STATE%\key-1.reg" /y /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail
:saved_1

set "STEP=note that the old values are saved"
echo saved>"%STATE%\captured.txt"
if not exist "%STATE%\captured.txt" goto :fail
if not exist "%STATE%\rolled-back.txt" goto :captured
del "%STATE%\rolled-back.txt"
if exist "%STATE%\rolled-back.txt" goto :fail
:captured

set "STEP=import vhqmwspath.reg"
"%REG%" import "%~dp0vhqmwspath.reg" /reg:64 >nul
if not "%errorlevel%"=="0" goto :fail

rem An import can succeed and still leave a value out, so every value is read back.
set "STEP=read back VHQMWSPATH in HKLM\SOFTWARE\WOW6432Node\Virtual Hold"
call :read "HKLM\SOFTWARE\WOW6432Node\Virtual Hold" "VHQMWSPATH"
if not "%errorlevel%"=="0" goto :fail
if not "%TYPE%"=="REG_SZ" goto :fail
if not "%DATA%"=="https://callback.branch.acme.example/VHQMWS/VHQMWS.asmx" goto :fail

echo All values are in place. The old ones are saved in %STATE%.
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
echo Nothing after this step was done. Correct the cause and run this script again, or run servers\BR-CORE\registry\rollback-registry.cmd to go back.
endlocal
exit /b 1



