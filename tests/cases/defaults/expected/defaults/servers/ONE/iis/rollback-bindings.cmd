@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Restores the bindings of before apply-bindings.cmd
rem Made by cbgen for ONE, bundle defaults 1. Change the inventory, not this file.
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
set "STATE=%ProgramData%\cbgen\defaults\1\bindings"
if exist "%STATE%\captured.txt" goto :state_ready
if exist "%STATE%\rolled-back.txt" goto :already_back
echo There is no saved state in %STATE%: this bundle has not changed this server, or what it saved was deleted, so there is nothing to take back.
goto :fail
:already_back
echo It was rolled back before. Nothing to do.
endlocal
exit /b 0
:state_ready

set "APPCMD=%SYSTEM%\inetsrv\appcmd.exe"
set "SITE=Default Web Site"
set "STEP=find IIS and its site"
if exist "%APPCMD%" goto :iis_found
echo There is no %APPCMD%. Install the IIS management tools.
goto :fail
:iis_found
"%APPCMD%" list site "%SITE%" >nul
if "%errorlevel%"=="0" goto :site_found
echo There is no site %SITE%. Correct iis.site in the inventory.
goto :fail
:site_found

set "STEP=list the bindings"
call :bindings
if not "%errorlevel%"=="0" goto :fail
echo Bindings now: %BINDINGS%

rem First what is missing, so that the site always has a binding. Bindings that others added since then stay.
set "STEP=restore the bindings that apply-bindings.cmd found"
set "MODE=restore"
call :each
if not "%errorlevel%"=="0" goto :fail

set "STEP=remove the binding 127.0.0.1:80"
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\bindings.txt" >nul
if "%errorlevel%"=="0" goto :local_stays
if not "%errorlevel%"=="1" goto :fail
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\now.txt" >nul
if "%errorlevel%"=="1" goto :local_stays
if not "%errorlevel%"=="0" goto :fail
"%APPCMD%" set site "/site.name:%SITE%" "/-bindings.[protocol='http',bindingInformation='127.0.0.1:80:']"
if not "%errorlevel%"=="0" goto :fail
:local_stays

set "STEP=read the bindings back"
call :bindings
if not "%errorlevel%"=="0" goto :fail
echo Bindings now: %BINDINGS%
set "STEP=compare the bindings with the saved ones"
set "MODE=compare"
call :each
if not "%errorlevel%"=="0" goto :fail
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\bindings.txt" >nul
if "%errorlevel%"=="0" goto :compared
if not "%errorlevel%"=="1" goto :fail
"%SYSTEM%\findstr.exe" /l /c:",http/127.0.0.1:80:," "%STATE%\now.txt" >nul
if not "%errorlevel%"=="1" goto :fail
:compared
set "STEP=note that this was rolled back"
move /y "%STATE%\captured.txt" "%STATE%\rolled-back.txt" >nul
if not "%errorlevel%"=="0" goto :fail

echo The bindings of before are back. Does HTTPS answer with the right certificate? IIS keeps it per port, not per binding.
echo A binding with a host name may need its mark *Require Server Name Indication* again.
endlocal
exit /b 0

rem Takes the saved bindings one by one; a list for all of IIS would also take back the work of others.
:each
set "REST="
for /f "usebackq delims=" %%A in ("%STATE%\bindings.txt") do set "REST=%%A"
if not defined REST exit /b 1
:next
echo %REST% >"%STATE%\rest.txt"
if not exist "%STATE%\rest.txt" exit /b 1
set "BINDING="
set "REST="
for /f "usebackq tokens=1,* delims=, " %%A in ("%STATE%\rest.txt") do call :first "%%A" "%%B"
if not defined BINDING exit /b 0
call :one
if not "%errorlevel%"=="0" exit /b 1
if defined REST goto :next
exit /b 0

:first
set "BINDING=%~1"
set "REST=%~2"
exit /b 0

:one
"%SYSTEM%\findstr.exe" /l /c:",%BINDING%," "%STATE%\now.txt" >nul
if "%errorlevel%"=="0" exit /b 0
if not "%errorlevel%"=="1" exit /b 1
if "%MODE%"=="compare" exit /b 1
echo %BINDING% >"%STATE%\one.txt"
if not exist "%STATE%\one.txt" exit /b 1
set "PROTOCOL="
set "PLACE="
for /f "usebackq tokens=1,2 delims=/ " %%A in ("%STATE%\one.txt") do call :parts "%%A" "%%B"
if not defined PLACE exit /b 1
echo Adds %PROTOCOL% %PLACE%
"%APPCMD%" set site "/site.name:%SITE%" "/+bindings.[protocol='%PROTOCOL%',bindingInformation='%PLACE%']"
if not "%errorlevel%"=="0" exit /b 1
exit /b 0

:parts
set "PROTOCOL=%~1"
set "PLACE=%~2"
exit /b 0

rem Reads the bindings of the site as one line, with a comma before and after each: ,http/*:80:,https/*:443:,
:bindings
set "BINDINGS="
"%APPCMD%" list site "%SITE%" /text:bindings >"%STATE%\now.txt"
if not "%errorlevel%"=="0" exit /b 1
for /f "usebackq delims=" %%A in ("%STATE%\now.txt") do set "BINDINGS=,%%A,"
echo %BINDINGS% >"%STATE%\now.txt"
if not exist "%STATE%\now.txt" exit /b 1
exit /b 0


:fail
set "CODE=%errorlevel%"
echo.
echo FAILED at step: %STEP%
if not "%CODE%"=="0" echo Exit code of the failing command: %CODE%
echo Nothing after this step was done. Is the proxy stopped? Correct the cause and run this script again.
endlocal
exit /b 1


