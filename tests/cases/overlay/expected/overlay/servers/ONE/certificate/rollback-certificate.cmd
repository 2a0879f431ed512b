@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Puts the files of before convert-certificate.cmd back
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
set "STATE=%ProgramData%\cbgen\overlay\1\certificate"
if exist "%STATE%\captured.txt" goto :state_ready
if exist "%STATE%\rolled-back.txt" goto :already_back
echo There is no saved state in %STATE%: this bundle has not changed this server, or what it saved was deleted, so there is nothing to take back.
goto :fail
:already_back
echo It was rolled back before. Nothing to do.
endlocal
exit /b 0
:state_ready

set "CONF=C:\Program Files (x86)\Virtual Hold Technology\proxy\nginx\conf"

set "STEP=restore vht_callback_ssl.key"
if exist "%STATE%\old.key" goto :old_key
rem unchecked: the next line asks
del /q "%CONF%\vht_callback_ssl.key" >nul 2>&1
if exist "%CONF%\vht_callback_ssl.key" goto :fail
goto :done_key
:old_key
copy /y "%STATE%\old.key" "%CONF%\vht_callback_ssl.key" >nul
if not "%errorlevel%"=="0" goto :fail
:done_key

set "STEP=restore vht_callback_ssl.crt"
if exist "%STATE%\old.crt" goto :old_crt
rem unchecked: the next line asks
del /q "%CONF%\vht_callback_ssl.crt" >nul 2>&1
if exist "%CONF%\vht_callback_ssl.crt" goto :fail
goto :done_crt
:old_crt
copy /y "%STATE%\old.crt" "%CONF%\vht_callback_ssl.crt" >nul
if not "%errorlevel%"=="0" goto :fail
:done_crt

set "STEP=delete the saved copies"
rem unchecked: usually one of them is not there, and the next lines ask
del /q "%STATE%\old.key" "%STATE%\old.crt" >nul 2>&1
if exist "%STATE%\old.key" goto :fail
if exist "%STATE%\old.crt" goto :fail
set "STEP=note that this was rolled back"
move /y "%STATE%\captured.txt" "%STATE%\rolled-back.txt" >nul
if not "%errorlevel%"=="0" goto :fail

echo The files of before are back. Restart the service VHT Reverse Proxy if it runs.
endlocal
exit /b 0

:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. The old files lie in the cbgen folder of ProgramData; correct the cause and run this script again.
endlocal
exit /b 1


